from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fer_live.backends.backend import Backend
from fer_live.config import Config
from fer_live.core.structs import Frame, Result
from fer_live.detect.finder import FaceFinder
from fer_live.errors import BackendError
from fer_live.pipeline.analysis import AnalysisStage
from fer_live.pipeline.slots import LatestSlot
from tests.fakes import CodeFinder, ManualClock, TableBackend, coded_picture, left_of


class _Rig:
    """An analysis stage that gets one new frame whenever it has analysed one, and stops after some."""

    def __init__(self, frames: int = 5, skip: int = 1) -> None:
        self.frames: LatestSlot[Frame] = LatestSlot()
        self.results: LatestSlot[tuple[Frame, Result]] = LatestSlot()
        self.finder, self.backend = CodeFinder(), TableBackend()
        self.seen: list[Result] = []
        self.drops: list[int] = []
        self.stop = threading.Event()
        self._count, self._skip = frames, skip
        self.stage = self._make(lambda: self.finder, lambda: self.backend)

    def _make(self, open_finder: Callable[[], FaceFinder], open_backend: Callable[[], Backend]) -> AnalysisStage:
        return AnalysisStage(
            Config(), open_finder, open_backend, self.frames, self.results, self._on_result, ManualClock(500.0)
        )

    def put(self, index: int) -> None:
        self.frames.put(Frame(coded_picture(index), index, 100 + index / 10))

    def _on_result(self, frame: Frame, result: Result) -> None:
        self.seen.append(result)
        self.drops.append(self.stage.dropped)
        if len(self.seen) == self._count:
            self.stop.set()
        for ahead in range(self._skip):
            self.put(result.frame_index + 1 + ahead)


def test_frame_and_result_belong_together() -> None:
    rig = _Rig(frames=1, skip=0)
    rig.put(7)
    rig.stage.run(rig.stop)
    taken = rig.results.take()
    assert taken is not None
    frame, result = taken
    assert frame.index == result.frame_index == 7
    assert frame.captured_at == result.captured_at
    assert result.finished_at == 500.0
    assert result.tracks[0].box[0] == left_of(frame.image) == 8


def test_every_result_is_told_but_only_the_newest_is_shown() -> None:
    rig = _Rig()
    rig.put(0)
    rig.stage.run(rig.stop)
    assert [result.frame_index for result in rig.seen] == [0, 1, 2, 3, 4]
    taken = rig.results.take()
    assert taken is not None
    assert taken[1] is rig.seen[-1]


def test_drops_count_from_the_first_analysed_frame() -> None:
    rig = _Rig(skip=3)
    for index in range(50):
        rig.put(index)
    assert rig.stage.dropped == 0
    rig.stage.run(rig.stop)
    assert [result.frame_index for result in rig.seen] == [49, 52, 55, 58, 61]
    assert rig.drops == [0, 2, 4, 6, 8]


def test_it_closes_what_it_opened() -> None:
    rig = _Rig(frames=1)
    rig.put(0)
    rig.stage.run(rig.stop)
    assert rig.stage.backend is rig.backend
    assert rig.stage.is_ready.is_set()
    assert rig.backend.is_closed
    assert rig.finder.is_closed


def test_stop_before_the_first_frame() -> None:
    rig = _Rig()
    rig.stop.set()
    rig.stage.run(rig.stop)
    assert rig.seen == []
    assert rig.backend.is_closed


def test_failure_to_open_comes_through_and_leaves_nothing_open() -> None:
    rig = _Rig()

    def fail() -> FaceFinder:
        raise BackendError("No face finder here.")

    stage = rig._make(fail, lambda: rig.backend)
    with pytest.raises(BackendError, match="No face finder"):
        stage.run(rig.stop)
    assert rig.backend.is_closed
    assert not stage.is_ready.is_set()
