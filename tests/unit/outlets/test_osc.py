from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import SimpleUDPClient, UDPClient

from fer_live.core.structs import Marker
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots
from fer_live.outlets.osc import OscLine, frame_bundle
from fer_live.outlets.outlet import Analysed, Line
from tests.unit.outlets.conftest import LABELS, Running, result, track
from tests.unit.outlets.ports import HOST, free_port
from tests.waiting import wait_until

Run = Callable[[Callable[[], Line]], Running]


class _Listener:
    """A real OSC server, and all it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(lambda address, *values: self.heard.append((address, *values)))
        self.server = BlockingOSCUDPServer((HOST, 0), dispatcher)
        self.address = (HOST, self.server.server_address[1])
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[_Listener]:
    listener = _Listener()
    yield listener
    listener.close()


def _slots() -> FaceSlots:
    return FaceSlots(2, 0.7)


def test_server_hears_what_was_sent(listener: _Listener, run: Run) -> None:
    running = run(lambda: OscLine(listener.address, None, _slots()))
    sent = result(7, track(4), track(5, reason="turned"), track(6))
    running.send(sent, result(8))
    running.outlet.send_marker(Marker(12.5, "Größe", "key"))
    wait_until(lambda: ("/fer-live/marker", "Größe", "key", 12.5) in listener.heard)
    probabilities = [
        (f"/fer-live/face/1/{label}", pytest.approx(0.64 if label == "happy" else 0.06)) for label in LABELS
    ]
    face = (pytest.approx(0.64), 10, 20, 30, 40)
    assert listener.heard[:9] == [
        ("/fer-live/frame", 7, sent.captured_at, 3),
        ("/fer-live/face/1", 4, "happy", *face, ""),
        *probabilities,
    ]
    assert listener.heard[9] == ("/fer-live/face/2", 5, "happy", *face, "turned")
    assert listener.heard[-2][:2] == ("/fer-live/frame", 8)
    assert listener.heard[-2][3] == 0
    assert len(listener.heard) == 1 + 2 * (1 + len(LABELS)) + 2


def test_time_tag_is_the_capture_time_on_the_wall_clock() -> None:
    bundle = frame_bundle(Analysed(result(0, at=time.perf_counter() - 5), LABELS), [])
    assert abs(time.time() - 5 - bundle.timestamp) < 1
    assert len(OscPacket(bundle.dgram).messages) == 1


def test_marker_comes_in_and_does_not_go_back(listener: _Listener, run: Run) -> None:
    port = free_port(socket.SOCK_DGRAM)
    running = run(lambda: OscLine(listener.address, (HOST, port), _slots()))
    with SimpleUDPClient(HOST, port) as client:

        def is_in() -> bool:
            client.send_message("/fer-live/marker", "stimulus 3")
            return bool(running.markers)

        wait_until(is_in)
        for wrong in ([], "", "a\nb", [b"blob"], [[1, 2]]):
            client.send_message("/fer-live/marker", wrong)
        client._sock.sendto(b"\x00\xffnot OSC", (HOST, port))
        client.send_message("/elsewhere", "no marker")
        client.send_message("/fer-live/marker", 9)
        wait_until(lambda: ("9", "osc") in running.markers)
    assert set(running.markers) == {("stimulus 3", "osc"), ("9", "osc")}
    running.outlet.send_marker(Marker(1.0, "stimulus 3", "osc"))
    running.outlet.send_marker(Marker(2.0, "own", "text"))
    wait_until(lambda: listener.heard)
    assert listener.heard == [("/fer-live/marker", "own", "text", 2.0)]


def test_a_time_tag_in_the_future_holds_no_marker_back(run: Run) -> None:
    port = free_port(socket.SOCK_DGRAM)
    running = run(lambda: OscLine(None, (HOST, port), _slots()))
    in_an_hour = OscBundleBuilder(time.time() + 3600)  # type: ignore[arg-type]  # seconds, it says
    message = OscMessageBuilder("/fer-live/marker")
    message.add_arg("tagged")
    in_an_hour.add_content(message.build())
    with UDPClient(HOST, port) as client:

        def is_in() -> bool:
            client.send(in_an_hour.build())
            return bool(running.markers)

        wait_until(is_in)
    assert running.markers[0] == ("tagged", "osc")


def test_nobody_there_loses_nothing_but_the_messages(run: Run) -> None:
    running = run(lambda: OscLine((HOST, free_port(socket.SOCK_DGRAM)), None, _slots()))
    running.send(*(result(index, track(1)) for index in range(50)))
    running.stop()
    status = running.outlet.status()
    assert (status.error, status.clients) == (None, None)


def test_taken_port_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        line = OscLine(None, (HOST, port), _slots())
        with pytest.raises(OutletError, match=f"port {port} .*in use"):
            line.serve(None, lambda name, origin: None, threading.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["no.such.host.invalid", "no..host", "x" * 80])
def test_unknown_host_is_named(host: str) -> None:
    line = OscLine((host, 9000), None, _slots())
    with pytest.raises(OutletError, match=f"'{re.escape(host)}'"):
        line.serve(None, lambda name, origin: None, threading.Event())  # type: ignore[arg-type]


def test_address_that_is_none_cannot_be_listened_at() -> None:
    line = OscLine(None, ("no..host", 9000), _slots())
    with pytest.raises(OutletError, match="cannot be waited for"):
        line.serve(None, lambda name, origin: None, threading.Event())  # type: ignore[arg-type]
