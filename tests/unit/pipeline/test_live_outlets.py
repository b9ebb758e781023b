"""A session with live outlets: real clients, and what becomes of it when an outlet cannot be opened."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from fer_live.capture.opening import LiveSource
from fer_live.config import Config, load_config
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.outlets.opening import make_outlets
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.status import LiveState
from tests.fakes import Act, CodeFinder, FakeDevice, TableBackend
from tests.unit.outlets.ports import HOST, free_port, is_open
from tests.waiting import wait_until

Start = Callable[[Config], LiveSession]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a session and waits until it runs."""
    device, sessions = FakeDevice(), []

    def begin(config: Config) -> LiveSession:
        source = LiveSource("fake", device.open, is_device=True)
        session = LiveSession(config, source, CodeFinder, TableBackend, outlets=make_outlets(config))
        sessions.append(session)
        session.start()
        wait_until(lambda: session.status().state is LiveState.RUNNING)
        return session

    yield begin
    device.act = Act.UNPLUGGED
    for session in sessions:
        assert session.stop() == []


@contextmanager
def _client(port: int) -> Iterator[ClientConnection]:
    wait_until(lambda: is_open(port))
    with connect(f"ws://{HOST}:{port}", compression=None) as client:
        assert json.loads(client.recv(10))["type"] == "hello"
        yield client


def _next(client: ClientConnection, kind: str) -> dict[str, object]:
    while True:
        message: dict[str, object] = json.loads(client.recv(10))
        if message["type"] == kind:
            return message


def test_client_gets_results_and_marks(start: Start) -> None:
    port = free_port(socket.SOCK_STREAM)
    session = start(load_config(assignments=[f"outlets.websocket={port}"]))
    with _client(port) as client:
        (face,) = _next(client, "result")["faces"]  # type: ignore[misc]
        assert set(face["probabilities"]) == set(FER2013_LABELS)
        assert session.status().live_to == "WebSocket 1"
        client.send('{"marker": "stimulus 3"}')
        wait_until(lambda: session.markers)
        assert (session.markers[0].name, session.markers[0].origin) == ("stimulus 3", "websocket")
        assert _next(client, "marker")["captured_at"] == session.markers[0].at
        own = session.mark("own", "key")
        assert own is not None
        message = _next(client, "marker")
        assert (message["name"], message["origin"], message["captured_at"]) == ("own", "key", own.at)
        session.stop()


def test_marker_that_comes_in_is_recorded(start: Start, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    session = start(load_config(assignments=[f"outlets.websocket={port}"]))
    session.start_recording(tmp_path)
    with _client(port) as client:
        client.send('{"marker": "stimulus 3"}')
        wait_until(lambda: session.markers)
        session.stop()
    (text,) = (path.read_text() for path in tmp_path.glob("*/markers.csv"))
    assert "stimulus 3,websocket" in text


def test_program_that_connects_and_says_nothing_holds_up_no_stop(start: Start) -> None:
    port = free_port(socket.SOCK_STREAM)
    session = start(load_config(assignments=[f"outlets.websocket={port}"]))
    wait_until(lambda: is_open(port))
    with socket.create_connection((HOST, port)), _client(port):
        assert session.stop() == []


def test_outlet_that_cannot_be_opened_ends_nothing_else(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        session = start(load_config(assignments=[f"outlets.websocket={port}", f"outlets.osc={HOST}:{port}"]))
        wait_until(lambda: session.status().outlet_errors)
        (error,) = session.status().outlet_errors
        assert f"port {port}" in str(error)
        assert session.status().live_to == "OSC"
        frames = session.status().frames
        wait_until(lambda: session.status().frames > frames + 10)
        assert session.status().state is LiveState.RUNNING


def _network_sockets() -> set[str]:
    found = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            if stat.S_ISSOCK(os.stat(f"/proc/self/fd/{entry}").st_mode):
                with socket.socket(fileno=os.dup(int(entry))) as each:
                    if each.family in (socket.AF_INET, socket.AF_INET6):
                        found.add(f"{each.getsockname()}")
        except OSError:
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_listens_when_all_is_off(start: Start) -> None:
    before = _network_sockets()
    session = start(Config())
    assert {thread.name for thread in threading.enumerate()} >= {"capture", "analysis"}
    assert _network_sockets() <= before
    assert session.status().outlets == ()
    # The same look sees the server of a session that has one.
    port = free_port(socket.SOCK_STREAM)
    start(load_config(assignments=[f"outlets.websocket={port}"]))
    wait_until(lambda: str((HOST, port)) in _network_sockets())
