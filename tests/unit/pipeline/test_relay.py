from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_live.backends.backend import Backend
from fer_live.capture.opening import LiveSource
from fer_live.config import Config
from fer_live.core.structs import Frame, Result
from fer_live.errors import BackendError
from fer_live.pipeline.analysis import AnalysisStage
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.relay import BackendOpening, BackendRelay
from fer_live.pipeline.slots import LatestSlot
from fer_live.pipeline.status import LiveState
from tests.fakes import Act, CodeFinder, FakeDevice, TableBackend, coded_picture
from tests.waiting import wait_until


class _Fast(TableBackend):
    """Another backend of the same network."""

    name = "fast"
    device = "the GPU"


class TestRelay:
    def test_the_next_takes_over_once_and_the_old_one_is_closed(self) -> None:
        relay, old, new = BackendRelay(), TableBackend(), _Fast()
        relay.begin(old)
        assert relay.change() is None
        relay.offer(new)
        assert relay.current is old
        assert relay.change() is relay.current is new
        assert (old.is_closed, new.is_closed) == (True, False)
        assert relay.change() is None

    def test_one_that_is_held_stays_until_it_is_released(self) -> None:
        relay, old, new = BackendRelay(), TableBackend(), _Fast()
        relay.begin(old)
        assert relay.hold() is old
        relay.offer(new)
        assert relay.change() is None
        assert not old.is_closed
        relay.release()
        assert relay.change() is new

    def test_a_newer_offer_replaces_one_that_nobody_took(self) -> None:
        relay, unused, new = BackendRelay(), _Fast(), _Fast()
        relay.begin(TableBackend())
        relay.offer(unused)
        relay.offer(new)
        assert unused.is_closed
        assert relay.change() is new

    def test_at_the_end_all_are_closed_also_one_that_comes_late(self) -> None:
        relay, old, waiting, late = BackendRelay(), TableBackend(), _Fast(), _Fast()
        with relay:
            relay.begin(old)
            relay.offer(waiting)
        relay.offer(late)
        assert old.is_closed and waiting.is_closed and late.is_closed
        assert relay.current is old


class _Rig:
    """An analysis of frames that come as fast as they are analysed, until `last` of them are."""

    def __init__(self, last: int) -> None:
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.old, self.new = TableBackend(), _Fast()
        self.seen: list[tuple[int, str]] = []
        self.stop = threading.Event()
        self.stage = AnalysisStage(
            Config(), CodeFinder, lambda: self.old, self.frames, LatestSlot(), self._on_result, lambda: 500.0
        )
        self._last = last
        self.put(0)

    def put(self, index: int) -> None:
        self.frames.put(Frame(coded_picture(index), index, 100 + index / 10))

    def _on_result(self, frame: Frame, result: Result) -> None:
        assert self.stage.backend is not None
        self.seen.append((result.frame_index, self.stage.backend.name))
        if len(self.seen) == self._last:
            self.stop.set()
        self.put(result.frame_index + 1)


def test_no_frame_is_lost_while_another_backend_opens_and_takes_over() -> None:
    rig = _Rig(last=30)

    def open_slowly() -> Backend:
        wait_until(lambda: len(rig.seen) >= 10, "ten frames while the other opens")
        return rig.new

    opening = threading.Thread(target=BackendOpening(open_slowly, rig.stage.backends).run, args=(rig.stop,))
    opening.start()
    rig.stage.run(rig.stop)
    opening.join()
    assert [index for index, _ in rig.seen] == list(range(30))
    names = [name for _, name in rig.seen]
    assert names == sorted(names, reverse=True), "table first, then fast, and never back"
    assert names[:10] == ["table"] * 10
    assert rig.stage.dropped == 0
    assert len(rig.old.batch_sizes) + len(rig.new.batch_sizes) == 30
    assert rig.old.is_closed and rig.new.is_closed


def test_failure_to_open_leaves_everything_as_it_was() -> None:
    rig = _Rig(last=3)

    def fail() -> Backend:
        raise BackendError("The GPU is gone.")

    opening = BackendOpening(fail, rig.stage.backends)
    opening.run(rig.stop)
    assert str(opening.error) == "The GPU is gone."
    rig.stage.run(rig.stop)
    assert {name for _, name in rig.seen} == {"table"}


def test_another_network_cannot_take_over() -> None:
    rig = _Rig(last=3)
    rig.new.card = rig.new.card.model_copy(update={"labels": ("happy", "sad")})
    rig.stage.backends.offer(rig.new)
    with pytest.raises(ValueError, match="one network cannot follow another"):
        rig.stage.run(rig.stop)
    assert rig.old.is_closed and rig.new.is_closed


class _Live:
    """A running session whose next backend is `fast`."""

    def __init__(self) -> None:
        self.device = FakeDevice()
        self.backends: list[TableBackend] = [_Fast(), TableBackend()]
        self.opened: list[TableBackend] = []
        self.session = LiveSession(
            Config(), LiveSource("fake", self.device.open, True), CodeFinder, self._open, outlets=()
        )
        self.session.start()
        wait_until(lambda: self.session.status().state is LiveState.RUNNING, "running")

    def _open(self) -> Backend:
        self.opened.append(self.backends.pop())
        return self.opened[-1]

    @property
    def in_use(self) -> str:
        assert self.session.backend is not None
        return self.session.backend.name

    def close(self) -> None:
        self.device.act = Act.UNPLUGGED
        self.session.stop()


@pytest.fixture
def live() -> Iterator[_Live]:
    live = _Live()
    yield live
    live.close()


def test_live_session_changes_over_while_it_runs(live: _Live) -> None:
    assert live.in_use == "table"
    live.session.switch_backend()
    wait_until(lambda: live.in_use == "fast", "the change")
    wait_until(lambda: live.opened[1].batch_sizes, "frames on the new one")
    assert live.opened[0].is_closed
    assert live.session.status().state is LiveState.RUNNING
    assert live.session.stop() == []
    assert live.opened[1].is_closed


def test_a_recording_is_finished_by_the_backend_that_it_began_with(live: _Live, tmp_path: Path) -> None:
    live.session.start_recording(tmp_path)
    opening = live.session.switch_backend()
    wait_until(lambda: len(live.opened) == 2, "the other open")
    seen = len(live.opened[0].batch_sizes)
    wait_until(lambda: len(live.opened[0].batch_sizes) > seen + 3, "more frames on the first")
    assert live.in_use == "table"
    recorder = live.session.end_recording()
    wait_until(lambda: live.in_use == "fast", "the change after the recording")
    assert opening.error is None
    assert recorder is not None
    wait_until(recorder.is_over.is_set, "the writer")
    (folder,) = tmp_path.iterdir()
    assert json.loads((folder / "session.json").read_text())["backend"]["name"] == "table"


def test_a_backend_that_comes_after_the_stop_is_closed(live: _Live) -> None:
    gate, late = threading.Event(), _Fast()

    def open_late() -> Backend:
        gate.wait(20)
        return late

    live.session._open_backend = open_late
    live.session.switch_backend()
    live.session.request_stop()
    wait_until(lambda: live.opened[0].is_closed, "analysis over")
    gate.set()
    assert live.session.stop() == []
    assert late.is_closed
    assert late.batch_sizes == []
