from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fer_live import __version__
from fer_live.core.structs import Marker
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots
from fer_live.outlets.outbox import SIZE, Outbox
from fer_live.outlets.outlet import Line
from fer_live.outlets.websocket import WebSocketLine
from tests.unit.outlets.conftest import LABELS, Running, result, track
from tests.unit.outlets.ports import HOST, free_port, is_open
from tests.waiting import wait_until

Run = Callable[[Callable[[], Line]], Running]
PAGE = "https://lab.example.org"


class _Server:
    """A running line, and clients of it."""

    def __init__(self, run: Run, stack: ExitStack) -> None:
        self.port = free_port(socket.SOCK_STREAM)
        self.running = run(lambda: WebSocketLine(HOST, self.port, (PAGE,), FaceSlots(1, 0.7)))
        self._stack = stack
        wait_until(lambda: is_open(self.port))

    def client(self, **settings: object) -> ClientConnection:
        """A client that has been greeted."""
        client = connect(f"ws://{HOST}:{self.port}", compression=None, close_timeout=1, **settings)  # type: ignore[arg-type]
        self._stack.enter_context(client)
        assert json.loads(client.recv(10)) == {"type": "hello", "schema_version": 1, "fer_live": __version__}
        return client


@pytest.fixture
def server(run: Run) -> Iterator[_Server]:
    with ExitStack() as stack:
        yield _Server(run, stack)


def test_every_client_receives_what_was_sent(server: _Server) -> None:
    clients = [server.client(), server.client()]
    wait_until(lambda: server.running.outlet.status().clients == 2)
    sent = result(7, track(4), track(5, reason="turned", label_index=None))
    server.running.send(sent)
    server.running.outlet.send_marker(Marker(sent.captured_at, "Größe", "text"))
    face = {
        "x": 10.0,
        "y": 20.0,
        "w": 30.0,
        "h": 40.0,
        "detection_score": 0.9,
        "confidence": pytest.approx(0.64),
        "probabilities": {label: pytest.approx(0.64 if label == "happy" else 0.06) for label in LABELS},
    }
    for client in clients:
        got, marker = (json.loads(client.recv(10)) for _ in range(2))
        wall = datetime.fromisoformat(got.pop("t_wall_iso"))
        assert abs(wall.timestamp() - time.time()) < 60
        assert wall.utcoffset() is not None
        assert got == {
            "type": "result",
            "frame_index": 7,
            "captured_at": sent.captured_at,
            "age_ms": pytest.approx(20),
            "faces": [
                {"face_id": 4, "slot": 1, "label": "happy", "reason": "", **face},
                {"face_id": 5, "slot": None, "label": "uncertain", "reason": "turned", **face},
            ],
        }
        assert abs((datetime.fromisoformat(marker.pop("t_wall_iso")) - wall).total_seconds()) < 1
        assert marker == {"type": "marker", "captured_at": sent.captured_at, "name": "Größe", "origin": "text"}


def test_marker_comes_in(server: _Server) -> None:
    client = server.client()
    client.send('{"marker": " stimulus 3 "}')
    wait_until(lambda: server.running.markers)
    assert server.running.markers == [("stimulus 3", "websocket")]


@pytest.mark.parametrize(
    "message", ["", "start", "[1]", '{"mark": "x"}', '{"marker": ""}', '{"marker": {}}', b"\xff", "[" * 4000]
)
def test_message_that_is_no_marker_is_answered(server: _Server, message: str | bytes) -> None:
    client = server.client()
    client.send(message)
    answer = json.loads(client.recv(10))
    assert answer["type"] == "error"
    assert '{"marker": "name"}' in answer["message"]
    client.send('{"marker": "next"}')
    wait_until(lambda: server.running.markers)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"http://{HOST}", PAGE + ".evil.example"])
def test_web_page_that_is_not_allowed_is_refused(server: _Server, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        server.client(origin=origin)
    assert refusal.value.response.status_code == 403
    assert server.running.outlet.status().clients == 0


def test_web_page_that_is_allowed_reads(server: _Server) -> None:
    server.client(origin=PAGE)


def test_client_that_goes_is_forgotten(server: _Server) -> None:
    client, other = server.client(), server.client()
    client.socket.close()
    wait_until(lambda: server.running.outlet.status().clients == 1)
    server.running.send(result(1))
    assert json.loads(other.recv(10))["frame_index"] == 1


def test_client_that_does_not_read_loses_its_oldest_and_holds_nobody(server: _Server) -> None:
    reader = server.client()
    with socket.socket() as stuck:
        # As small a buffer as there is, and never read.
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        stuck.connect((HOST, server.port))
        stuck.sendall(
            f"GET / HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        wait_until(lambda: server.running.outlet.status().clients == 2)
        index = 0
        while server.running.outlet.status().dropped == 0:
            for _ in range(SIZE // 2):
                server.running.send(result(index, *(track(face_id) for face_id in range(1, 30))))
                index += 1
            # The other client has all of it, however long the stuck one waits.
            got = [json.loads(reader.recv(10))["frame_index"] for _ in range(SIZE // 2)]
            assert got == list(range(index - SIZE // 2, index))
            assert index < 100 * SIZE
        assert server.running.outlet.status().clients == 2
    wait_until(lambda: server.running.outlet.status().clients == 1)
    assert server.running.outlet.status().dropped > 0


def test_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = WebSocketLine(HOST, port, (), FaceSlots(1, 0.7))
        with pytest.raises(OutletError, match=rf"port {port} \(Address already in use\)"):
            line.serve(Outbox(), lambda name, origin: None, threading.Event())


@pytest.mark.parametrize(("address", "why"), [("::1%absent", r"\[Errno"), ("no..host", "label empty")])
def test_address_that_is_none_is_explained(address: str, why: str) -> None:
    line = WebSocketLine(address, 9000, (), FaceSlots(1, 0.7))
    with pytest.raises(OutletError, match=f"cannot listen at port 9000 .*({why})"):
        line.serve(Outbox(), lambda name, origin: None, threading.Event())


def test_stops_with_clients_connected(server: _Server) -> None:
    client = server.client()
    server.running.stop()
    with pytest.raises(Exception, match="going away"):
        client.recv(10)
    # Nobody takes it any more, and that does no harm.
    server.running.send(result(1))
