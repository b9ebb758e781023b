from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fer_live.core.structs import Marker
from fer_live.errors import OutletError
from fer_live.outlets.outbox import SIZE, Outbox
from fer_live.outlets.outlet import Analysed, Line, OnMarker, Outlet, marker_name
from tests.unit.outlets.conftest import LABELS, Running, result
from tests.waiting import wait_until

Run = Callable[[Callable[[], Line]], Running]


class _StuckLine:
    """Takes nothing before it is let."""

    clients = 1
    dropped = 5

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.items: list[Analysed | Marker] = []

    def serve(self, outbox: Outbox[Analysed | Marker], on_marker: OnMarker, stop: threading.Event) -> None:
        self.gate.wait(20)
        self.items += outbox.until(stop)


def test_stuck_line_never_holds_the_sender_and_gets_the_newest(run: Run) -> None:
    line = _StuckLine()
    running = run(lambda: line)
    running.send(*(result(index) for index in range(SIZE + 100)))
    wait_until(lambda: running.outlet.status().clients == 1)
    assert running.outlet.status().dropped == 100 + line.dropped
    running.outlet.send_marker(Marker(1.0, "last", "key"))
    line.gate.set()
    running.stop()
    assert line.items[-1] == Marker(1.0, "last", "key")
    indices = [item.result.frame_index for item in line.items if isinstance(item, Analysed)]
    assert indices == list(range(101, SIZE + 100))
    assert all(item.labels == LABELS for item in line.items if isinstance(item, Analysed))


def _error_of(make_line: Callable[[], Line]) -> OutletError:
    outlet = Outlet("Test", make_line)
    outlet.run(threading.Event())
    outlet.send(result(0), LABELS)
    error = outlet.status().error
    assert isinstance(error, OutletError)
    assert outlet.status().clients is None
    return error


def test_error_of_a_line_is_in_the_status() -> None:
    cause = OutletError("The port is taken.")

    def fail() -> Line:
        raise cause

    assert _error_of(fail) is cause


def test_missing_package_is_named() -> None:
    def fail() -> Line:
        import package_that_nobody_has  # noqa: F401

        raise AssertionError

    assert "Test needs the package 'package_that_nobody_has'" in str(_error_of(fail))


def test_bug_of_a_line_is_logged_and_ends_only_the_outlet(logged_warnings: list[str]) -> None:
    def fail() -> Line:
        raise ZeroDivisionError("a bug")

    assert "ZeroDivisionError('a bug')" in str(_error_of(fail))
    assert logged_warnings == ["ERROR fer_live.outlets.outlet: the Test outlet failed"]
    logged_warnings.clear()


@pytest.mark.parametrize(("value", "name"), [(" start ", "start"), (7, "7"), (2.5, "2.5"), ("ß" * 200, "ß" * 200)])
def test_marker_name(value: object, name: str) -> None:
    assert marker_name(value) == name


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "\x1b[0m", "x" * 201, None, b"start", ["start"], {}])
def test_value_that_is_no_marker_name(value: object) -> None:
    with pytest.raises(ValueError, match="1 to 200 printable"):
        marker_name(value)
