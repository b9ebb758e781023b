from __future__ import annotations

import numpy as np
import pytest

from fer_live.capture.paced import PacedSource
from tests.fakes import ManualClock, PictureCamera

_SHADES = [np.full((48, 64, 3), shade, np.uint8) for shade in (20, 90, 160, 230)]


class _Time:
    """A clock, and a sleep that moves it."""

    def __init__(self) -> None:
        self.clock = ManualClock(1000.0)
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.clock.advance(seconds)

    def pace(self, camera: PictureCamera) -> PacedSource:
        return PacedSource(camera, clock=self.clock, sleep=self.sleep)


@pytest.fixture
def time() -> _Time:
    return _Time()


def _times(source: PacedSource, count: int) -> list[float]:
    frames = [source.read() for _ in range(count)]
    assert all(frame is not None and frame.index == number for number, frame in enumerate(frames))
    return [frame.captured_at for frame in frames if frame is not None]


def test_frames_come_when_their_time_has_come(time: _Time) -> None:
    source = time.pace(PictureCamera(_SHADES, rate_hz=10))
    assert _times(source, 4) == pytest.approx([1000, 1000.1, 1000.2, 1000.3])
    assert time.sleeps == pytest.approx([0.1] * 3)
    assert source.read() is None


def test_what_takes_long_is_not_waited_for_again(time: _Time) -> None:
    source = time.pace(PictureCamera(_SHADES, rate_hz=10))
    source.read()
    time.clock.advance(0.25)
    late, later, on_time = (source.read() for _ in range(3))
    assert late is not None and later is not None and on_time is not None
    assert (late.captured_at, later.captured_at) == (1000.25, 1000.25)
    assert on_time.captured_at == pytest.approx(1000.3)


def test_it_starts_over_at_the_end(time: _Time) -> None:
    cameras: list[PictureCamera] = []

    def reopen() -> PictureCamera:
        cameras.append(PictureCamera(_SHADES, rate_hz=10))
        return cameras[-1]

    first = reopen()
    source = PacedSource(first, reopen, time.clock, time.sleep)
    times = _times(source, 10)
    assert times == sorted(times)
    assert first.is_closed
    assert len(cameras) == 3
    assert not cameras[-1].is_closed
    assert source.size is None
    source.close()
    assert cameras[-1].is_closed


def test_it_is_the_source_it_paces(time: _Time) -> None:
    camera = PictureCamera(_SHADES)
    with time.pace(camera) as source:
        assert (source.name, source.identity, source.size) == (camera.name, camera.identity, 4)
    assert camera.is_closed
