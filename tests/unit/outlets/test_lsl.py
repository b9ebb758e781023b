from __future__ import annotations

import math
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable

import numpy as np
import pytest

from fer_live.core.structs import Marker
from fer_live.errors import OutletError
from fer_live.outlets.faces import FaceSlots
from fer_live.outlets.outbox import Outbox
from fer_live.outlets.outlet import Line
from tests.unit.outlets.conftest import LABELS, Running, result, track
from tests.waiting import wait_until

pylsl = pytest.importorskip("pylsl", exc_type=RuntimeError)
from fer_live.outlets import lsl  # noqa: E402
from fer_live.outlets.lsl import LslLine, face_channels  # noqa: E402

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LSL is kept on this machine on Linux only")

Run = Callable[[Callable[[], Line]], Running]


@pytest.fixture(scope="module", autouse=True)
def _set_up() -> None:
    # Clients of the same process must not set LSL up first, and otherwise.
    lsl.set_up(is_local=True)


class _Lab:
    """A running line, and real clients of it; its source id keeps other FER Lives on this machine apart."""

    def __init__(self, run: Run, marker_stream: str = "") -> None:
        self.source_id = f"test-{uuid.uuid4()}"
        self.running = run(lambda: LslLine(FaceSlots(2, 0.7), True, marker_stream, self.source_id))

    def inlet(self, suffix: str) -> pylsl.StreamInlet:
        found = pylsl.resolve_byprop("source_id", f"{self.source_id}-{suffix}", 1, 20)
        assert found, f"no stream {suffix}"
        inlet = pylsl.StreamInlet(found[0], recover=False)
        inlet.open_stream(20)
        return inlet


def _pull_until(inlet: pylsl.StreamInlet, at: float) -> list[tuple[list[float], float]]:
    """All samples with their times, to the one of a capture time; the first was perhaps sent before the inlet was."""
    samples = []
    lsl_time = at + pylsl.local_clock() - time.perf_counter()
    while not samples or abs(samples[-1][1] - lsl_time) > 0.05:
        sample, when = inlet.pull_sample(20)
        assert sample is not None, f"no sample of {at}"
        samples.append((sample, when))
    return samples


def test_face_streams_carry_what_was_sent(run: Run) -> None:
    lab = _Lab(run)
    lab.running.send(result(0, at=10.0))
    inlets = [lab.inlet("face-1"), lab.inlet("face-2")]
    wait_until(lambda: lab.running.outlet.status().clients == 2)
    sent = result(1, track(4, reason="blurred"))
    lab.running.send(sent)
    (first, at), (second, at_2) = (_pull_until(inlet, sent.captured_at)[-1] for inlet in inlets)
    probabilities = [0.64 if label == "happy" else 0.06 for label in LABELS]
    assert first == pytest.approx([*probabilities, 0.64, 4, 10, 20, 30, 40, 1])
    assert all(math.isnan(value) for value in second)
    assert at == at_2


def test_stream_says_what_its_channels_are(run: Run) -> None:
    lab = _Lab(run)
    lab.running.send(result(0))
    info = lab.inlet("face-1").info(20)
    assert (info.name(), info.type(), info.nominal_srate()) == ("FER Live face 1", "Expression", 0)
    assert info.get_channel_labels() == [*LABELS, "confidence", "face_id", "x", "y", "w", "h", "low_quality"]
    units = ["probability"] * (len(LABELS) + 1) + ["count"] + ["pixels"] * 4 + ["boolean"]
    assert info.get_channel_units() == units == [unit for _, unit in face_channels(LABELS)]
    assert info.desc().child("acquisition").child_value("manufacturer").startswith("FER Live")


def test_markers_go_out_but_for_those_of_lsl(run: Run) -> None:
    lab = _Lab(run)
    inlet = lab.inlet("markers")
    assert inlet.info(20).type() == "Markers"
    wait_until(lambda: lab.running.outlet.status().clients == 1)
    lab.running.outlet.send_marker(Marker(1.0, "from LSL", "lsl"))
    lab.running.outlet.send_marker(Marker(2.0, "Größe", "key"))
    sample, at = inlet.pull_sample(20)
    assert sample == ["Größe"]
    assert at == pytest.approx(2.0 + pylsl.local_clock() - time.perf_counter(), abs=0.05)


def test_client_that_does_not_read_holds_nobody(run: Run) -> None:
    lab = _Lab(run)
    lab.running.send(result(0, at=10.0))
    idle, reader = lab.inlet("face-1"), lab.inlet("face-1")
    wait_until(lambda: lab.running.outlet.status().clients == 1)
    for start in range(11, 331, 32):
        lab.running.send(*(result(number, at=float(number)) for number in range(start, start + 32)))
        times = [time for _, time in _pull_until(reader, start + 31)]
        assert len(times) >= 32
        assert np.diff(times) == pytest.approx(1)
    assert lab.running.outlet.status().dropped == 0
    assert idle.samples_available() > 0


@pytest.mark.parametrize(("form", "pushed", "names"), [("string", "start", "start"), ("int32", 7, "7")])
def test_markers_of_another_stream_come_in(run: Run, form: str, pushed: object, names: str) -> None:
    lab_stream = f"lab's markers {uuid.uuid4()}".replace("'", "")
    lab = _Lab(run, lab_stream)
    lab.inlet("markers")  # the line is set up, so LSL is
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(lab_stream, "Markers", 1, 0, form, lab_stream))
    assert outlet.wait_for_consumers(20)
    outlet.push_sample([""] if form == "string" else [pushed])
    outlet.push_sample([pushed])
    wait_until(lambda: (names, "lsl") in lab.running.markers)
    assert set(lab.running.markers) == {(names, "lsl")}
    del outlet  # the stream goes, and the line looks for it again
    again = pylsl.StreamOutlet(pylsl.StreamInfo(lab_stream, "Markers", 1, 0, form, lab_stream))
    assert again.wait_for_consumers(20)


def test_a_marker_that_is_no_text_is_passed_over(run: Run) -> None:
    lab_stream = f"latin-1 {uuid.uuid4()}"
    lab = _Lab(run, lab_stream)
    lab.inlet("markers")  # the line is set up, so LSL is
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(lab_stream, "Markers", 1, 0, "string", lab_stream))
    assert outlet.wait_for_consumers(20)
    outlet.push_sample(["Größe".encode("latin-1")])
    outlet.push_sample(["after"])
    wait_until(lambda: lab.running.markers)
    assert lab.running.markers == [("after", "lsl")]


def test_own_markers_are_not_taken_in(run: Run) -> None:
    lab = _Lab(run, lsl.MARKERS)
    lab.inlet("markers")
    lab.running.outlet.send_marker(Marker(1.0, "own", "key"))
    lab.running.stop()
    assert lab.running.markers == []


def _ports(family: socket.AddressFamily) -> dict[tuple[str, int, int], str]:
    """Address, type and port of each socket of this process, and the device that it is bound to."""
    found: dict[tuple[str, int, int], str] = {}
    for each in lsl._open_sockets():
        with each:
            if each.family == family and each.getsockname()[1]:
                device = each.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
                found[(each.getsockname()[0], each.type, each.getsockname()[1])] = device.rstrip(b"\0").decode()
    return found


def test_other_machines_are_kept_out(run: Run) -> None:
    before = _ports(socket.AF_INET)
    lab = _Lab(run)
    lab.running.send(result(0))

    def is_closed_to_others() -> bool:
        opened = {port: device for port, device in _ports(socket.AF_INET).items() if port not in before}
        outward = [device for (address, _, _), device in opened.items() if address != "127.0.0.1"]
        # A data and a service port for each of three streams.
        return len(outward) == 6 and set(outward) == {"lo"}

    wait_until(is_closed_to_others)
    assert _ports(socket.AF_INET6) == {}


def test_scope_is_decided_once(run: Run) -> None:
    lab = _Lab(run)
    lab.inlet("markers")
    with pytest.raises(OutletError, match="Start FER Live again"):
        LslLine(FaceSlots(1, 0.7), False).serve(Outbox(), lambda name, origin: None, threading.Event())


def test_system_that_cannot_keep_others_out_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OutletError, match="allow_other_machines"):
        LslLine(FaceSlots(1, 0.7), True).serve(Outbox(), lambda name, origin: None, threading.Event())


def test_clock_follows_a_step_but_no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(pylsl, "local_clock", lambda: time.perf_counter() + now[0])
    clock = lsl._Clock()
    first = clock.lsl_time(5.0)
    assert first == pytest.approx(1005.0, abs=0.01)
    now[0] += 0.0005
    assert clock.lsl_time(5.0) == first
    now[0] += 60
    assert clock.lsl_time(5.0) == pytest.approx(1065.0, abs=0.01)
