from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.capture.camera import CameraMode
from fer_live.capture.source import Source
from fer_live.capture.watch import PATIENCE_S
from fer_live.core.structs import Frame
from fer_live.errors import SourceError
from fer_live.pipeline.capture import CaptureStage, CaptureState, CaptureStatus
from fer_live.pipeline.slots import LatestSlot
from tests.fakes import ManualClock, PictureCamera, coded_picture

_RATE_HZ = 10
_LOST = SourceError("The camera is gone.", "Plug it in.")
_ALIVE = [coded_picture(number) for number in range(5)]

Opening = SourceError | list[NDArray[np.uint8]]


class _Rig:
    """A camera that can be opened as often as scripted: each opening fails, or shows pictures and is lost then.

    After the last one, the stage is told to stop.
    """

    def __init__(self, *openings: Opening, is_device: bool = True) -> None:
        self.clock = ManualClock(100.0)
        self.stop = _Stop(self.clock)
        self.slot: LatestSlot[Frame] = LatestSlot()
        self.statuses: list[CaptureStatus] = []
        self.frames: list[Frame] = []
        self.cameras: list[_Camera] = []
        self._openings = list(openings)
        self.stage = CaptureStage(self._open, self.slot, is_device, self.clock)
        self.slot.notify(self._note)

    def _note(self) -> None:
        frame = self.slot.take()
        assert frame is not None
        self.frames.append(frame)

    def _open(self) -> Source:
        self.statuses.append(self.stage.status)
        if not self._openings:
            self.stop.set()
            raise _LOST
        opening = self._openings.pop(0)
        if isinstance(opening, SourceError):
            raise opening
        self.cameras.append(_Camera(opening, self.clock))
        return self.cameras[-1]

    def run(self) -> CaptureStatus:
        self.stage.run(self.stop)
        assert all(camera.is_closed for camera in self.cameras)
        return self.stage.status


class _Stop(threading.Event):
    """Notes how long it was waited for, and lets the clock run on instead."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        self._clock.advance(timeout)
        return self.is_set()


class _Camera(PictureCamera):
    mode: CameraMode | None = None
    asked: CameraMode | None = None

    def __init__(self, images: list[NDArray[np.uint8]], clock: ManualClock) -> None:
        super().__init__(images)
        self._clock = clock

    def read(self) -> Frame | None:
        self._clock.advance(1 / _RATE_HZ)
        frame = super().read()
        if frame is None:
            raise _LOST
        return Frame(frame.image, frame.index, self._clock())


def test_frames_are_handed_over_as_they_come() -> None:
    rig = _Rig(_ALIVE)
    rig.run()
    assert [frame.index for frame in rig.frames] == [0, 1, 2, 3, 4]
    assert [frame.captured_at for frame in rig.frames] == pytest.approx([100.1, 100.2, 100.3, 100.4, 100.5])
    assert rig.stage.newest is not None
    assert rig.stage.newest.index == 4


def test_first_failure_ends_it() -> None:
    rig = _Rig(_LOST, _ALIVE)
    status = rig.run()
    assert (status.state, status.error) == (CaptureState.FAILED, _LOST)
    assert rig.frames == []
    assert rig.stop.waits == []


def test_loss_is_retried_later_and_later_and_numbering_goes_on() -> None:
    failures = [_LOST] * 6
    rig = _Rig(_ALIVE, *failures, _ALIVE)
    rig.run()
    # The first picture after a loss might be the last one before it.
    assert [frame.index for frame in rig.frames] == list(range(9))
    assert rig.stop.waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 0.5, 1.0]


def test_lost_status_says_why_and_when_it_is_tried_again() -> None:
    rig = _Rig(_ALIVE, _ALIVE)
    rig.run()
    opening, lost, lost_again = rig.statuses
    assert opening.state is CaptureState.OPENING
    assert (lost.state, lost.error, lost.frames) == (CaptureState.LOST, _LOST, 5)
    assert lost.retry_at == pytest.approx(rig.clock() - 0.5 - 0.6 - 0.5, abs=1.1)
    assert lost_again.retry_at > lost.retry_at


def test_file_that_fails_is_not_retried() -> None:
    rig = _Rig(_ALIVE, _ALIVE, is_device=False)
    status = rig.run()
    assert (status.state, status.error, status.frames) == (CaptureState.FAILED, _LOST, 5)


def test_file_ends() -> None:
    slot: LatestSlot[Frame] = LatestSlot()
    stage = CaptureStage(lambda: PictureCamera(_ALIVE), slot, is_device=False)
    stage.run(threading.Event())
    assert (stage.status.state, stage.status.error, stage.status.frames) == (CaptureState.ENDED, None, 5)
    assert slot.dropped == 4


def test_stop_ends_it_and_closes_the_source() -> None:
    slot: LatestSlot[Frame] = LatestSlot()
    stop = threading.Event()
    slot.notify(stop.set)
    camera = PictureCamera(_ALIVE)
    CaptureStage(lambda: camera, slot, is_device=False).run(stop)
    assert camera.is_closed
    assert slot.dropped == 0


@pytest.mark.parametrize(
    ("picture", "word"),
    [(np.zeros((120, 160, 3), np.uint8), "black"), (coded_picture(99), "frozen")],
    ids=["black", "frozen"],
)
def test_dead_picture_is_a_loss_until_a_living_one_comes(picture: NDArray[np.uint8], word: str) -> None:
    dead = [picture] * 40
    rig = _Rig([*_ALIVE, *dead], dead, dead, _ALIVE)
    rig.run()
    shown_dead = sum(np.array_equal(frame.image, picture) for frame in rig.frames)
    assert shown_dead / _RATE_HZ < PATIENCE_S + 1.5 / _RATE_HZ
    lost = rig.statuses[1:4]
    assert all(status.state is CaptureState.LOST and word in str(status.error) for status in lost)
    # Opening it again brings no living picture: the next try comes later.
    assert rig.stop.waits[:3] == [0.5, 1.0, 2.0]
    assert [frame.index for frame in rig.frames] == list(range(len(rig.frames)))


def test_a_file_may_stand_still() -> None:
    slot: LatestSlot[Frame] = LatestSlot()
    stage = CaptureStage(lambda: PictureCamera([_ALIVE[0]] * 100), slot, is_device=False)
    stage.run(threading.Event())
    assert stage.status.state is CaptureState.ENDED
    assert stage.status.frames == 100


def test_mode_is_the_pictures_size_where_the_source_says_nothing() -> None:
    rig = _Rig(_ALIVE)
    rig.run()
    assert (rig.stage.status.mode, rig.stage.status.asked) == ("160x120", "")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (None, ""),
        (CameraMode(640, 480, 30), ""),
        (CameraMode(640, 480, 15), ""),
        (CameraMode(640, 480, 60), "640x480 at 60 Hz"),
        (CameraMode(1280, 720, 30), "1280x720 at 30 Hz"),
    ],
)
def test_asked_mode_is_told_where_the_camera_does_not_meet_it(
    asked: CameraMode | None, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Camera, "mode", CameraMode(640, 480, 29.97))
    monkeypatch.setattr(_Camera, "asked", asked)
    rig = _Rig(_ALIVE)
    rig.run()
    assert (rig.stage.status.mode, rig.stage.status.asked) == ("640x480 at 30 Hz", shown)
