from __future__ import annotations

import math
import os
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.capture import camera
from fer_live.capture.camera import CameraMode, CameraRefused, OpenCvCamera
from fer_live.capture.listing import CAPTURE_API
from fer_live.errors import SourceError
from tests.fakes import ManualClock, coded_picture


class _Driver:
    """cv2.VideoCapture of a camera that delivers 640x480 at 30 Hz, whatever it is asked for."""

    def __init__(self, is_open: bool = True, pictures: int = 3, rate_hz: float = 30.0) -> None:
        self._is_open = is_open
        self._rate_hz = rate_hz
        self._left = pictures
        self.opened_with: tuple[object, ...] = ()
        self.asked: dict[int, float] = {}
        self.is_released = False

    def __call__(self, *arguments: object) -> _Driver:
        self.opened_with = arguments
        return self

    def isOpened(self) -> bool:
        return self._is_open

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return True

    def get(self, key: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0, cv2.CAP_PROP_FPS: self._rate_hz}[key]

    def read(self) -> tuple[bool, NDArray[np.uint8] | None]:
        self._left -= 1
        return (True, coded_picture(self._left)) if self._left >= 0 else (False, None)

    def release(self) -> None:
        self.is_released = True


def _plug_in(driver: _Driver, monkeypatch: pytest.MonkeyPatch) -> _Driver:
    monkeypatch.setattr(cv2, "VideoCapture", driver)
    return driver


def test_camera_is_asked_for_a_mode_and_says_what_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = _plug_in(_Driver(), monkeypatch)
    asked = CameraMode(1280, 720, 60)
    with OpenCvCamera(2, "C920", asked) as opened:
        assert (opened.name, opened.asked) == ("C920", asked)
        assert opened.mode == CameraMode(640, 480, 30)
    assert driver.opened_with == (2, CAPTURE_API)
    assert driver.asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert driver.asked[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert driver.asked[cv2.CAP_PROP_FPS] == 60
    assert driver.is_released


@pytest.mark.parametrize("rate_hz", [math.nan, math.inf, -1.0, 0.0])
def test_driver_that_does_not_know_its_rate(rate_hz: float, monkeypatch: pytest.MonkeyPatch) -> None:
    _plug_in(_Driver(rate_hz=rate_hz), monkeypatch)
    with OpenCvCamera(0, "loopback", CameraMode(640, 480, 30)) as opened:
        assert str(opened.mode) == "640x480"
        assert opened.mode.meets(CameraMode(640, 480, 30))


def test_frames_are_numbered_and_timed_until_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    _plug_in(_Driver(pictures=2), monkeypatch)
    clock = ManualClock(50.0)
    with OpenCvCamera(0, "C920", clock=clock) as opened:
        first, second = opened.read(), opened.read()
        assert first is not None and second is not None
        assert (first.index, second.index, second.captured_at) == (0, 1, 50.0)
        with pytest.raises(SourceError, match="'C920' sends no more pictures"):
            opened.read()


def test_stream_is_opened_with_time_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = _plug_in(_Driver(), monkeypatch)
    with OpenCvCamera("rtsp://user:secret@host/live", "rtsp://host/live") as opened:
        assert opened.mode == CameraMode(640, 480, 0)
    url, api, limits = driver.opened_with
    assert (url, api) == ("rtsp://user:secret@host/live", cv2.CAP_FFMPEG)
    assert isinstance(limits, list)
    limit_of = dict(zip(limits[::2], limits[1::2], strict=True))
    assert limit_of[cv2.CAP_PROP_READ_TIMEOUT_MSEC] < 2000
    assert limit_of[cv2.CAP_PROP_OPEN_TIMEOUT_MSEC] <= 5000
    assert driver.asked == {}


def test_stream_that_does_not_answer_is_named_without_password(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = _plug_in(_Driver(is_open=False), monkeypatch)
    with pytest.raises(SourceError, match="'rtsp://host/live' does not answer") as raised:
        OpenCvCamera("rtsp://user:secret@host/live", "rtsp://host/live")
    assert "secret" not in str(raised.value)
    assert driver.is_released


def test_camera_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    _plug_in(_Driver(is_open=False), monkeypatch)
    with pytest.raises(SourceError, match=r"'camera 99' cannot be opened.*Plug it in") as raised:
        OpenCvCamera(99, "camera 99")
    assert not isinstance(raised.value, CameraRefused)


@pytest.mark.skipif(sys.platform != "linux", reason="the group 'video' is Linux's")
def test_camera_that_this_user_may_not_use(monkeypatch: pytest.MonkeyPatch) -> None:
    _plug_in(_Driver(is_open=False), monkeypatch)
    monkeypatch.setattr(camera.os.path, "exists", lambda path: path == "/dev/video0")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(CameraRefused, match=r"may not use camera 'C920'.*group 'video'"):
        OpenCvCamera(0, "C920")


def test_mode_in_words() -> None:
    assert str(CameraMode(640, 480, 29.97)) == "640x480 at 30 Hz"
    assert str(CameraMode(640, 480, 0)) == "640x480"
