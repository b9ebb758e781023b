"""Webcams and network streams through OpenCV."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fer_live.capture.listing import CAPTURE_API
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame
from fer_live.errors import SourceError

_OPEN_TIMEOUT_MS, _READ_TIMEOUT_MS = 5000, 1500

# Must be set before OpenCV opens its first device: without it a lost webcam blocks for 10 s.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")


@dataclass(frozen=True)
class CameraMode:
    """Picture size in px and rate in Hz; 0 where it is not known."""

    width: int
    height: int
    rate_hz: float

    def __str__(self) -> str:
        rate = f" at {self.rate_hz:.0f} Hz" if self.rate_hz else ""
        return f"{self.width}x{self.height}{rate}"

    def meets(self, asked: CameraMode) -> bool:
        """True if this is what was asked for, as far as it is known."""
        is_as_fast = not self.rate_hz or round(self.rate_hz) >= round(asked.rate_hz)
        return (self.width, self.height) == (asked.width, asked.height) and is_as_fast


class CameraRefused(SourceError):
    """The system does not let this program use the camera."""


class OpenCvCamera(Closing):
    """A webcam by index, or a network stream by URL; a Source without end.

    captured_at is the monotonic clock when the picture arrived. asked: the mode that was requested, None for
    streams. mode: the one in effect, as the driver says.
    """

    size: int | None = None
    is_stills = False
    files: tuple[str, ...] = ()

    def __init__(
        self,
        address: int | str,
        name: str,
        asked: CameraMode | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Raises SourceError if nothing answers, CameraRefused if the system forbids it."""
        self.name = name
        self.identity = ""
        self.asked = asked
        self._clock = clock
        self._index = 0
        self._video = _open_index(address, asked) if isinstance(address, int) else _open_stream(address)
        if not self._video.isOpened():
            self._video.release()
            raise _why_not(address, name)
        self.mode = CameraMode(
            int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            # Streams report a rate that is often wrong.
            known_rate(self._video) if isinstance(address, int) else 0.0,
        )

    def read(self) -> Frame | None:
        """The next picture; raises SourceError if none comes in time."""
        arrived, image = self._video.read()
        if not arrived or image is None:
            raise SourceError(f"'{self.name}' sends no more pictures.", "Check its cable or network.")
        frame = Frame(np.asarray(image, np.uint8), self._index, self._clock())
        self._index += 1
        return frame

    def close(self) -> None:
        """See Source.close."""
        self._video.release()


def known_rate(video: cv2.VideoCapture) -> float:
    """Pictures a second, as the driver or the file says, or 0: some say -1, infinity or no number at all."""
    rate_hz = video.get(cv2.CAP_PROP_FPS)
    return rate_hz if 0 < rate_hz < math.inf else 0.0


def _open_index(index: int, asked: CameraMode | None) -> cv2.VideoCapture:
    video = cv2.VideoCapture(index, CAPTURE_API)
    if asked is not None and video.isOpened():
        # Uncompressed, USB cameras of this size reach only a few pictures a second.
        video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        video.set(cv2.CAP_PROP_FRAME_WIDTH, asked.width)
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, asked.height)
        video.set(cv2.CAP_PROP_FPS, asked.rate_hz)
    return video


def _open_stream(url: str) -> cv2.VideoCapture:
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, timeouts)


def _why_not(address: int | str, name: str) -> SourceError:
    if isinstance(address, str):
        return SourceError(f"Stream '{name}' does not answer.", "Check address, password and network.")
    device = f"/dev/video{address}"
    if sys.platform == "linux" and os.path.exists(device) and not os.access(device, os.R_OK | os.W_OK):
        return CameraRefused(
            f"This user may not use camera '{name}' ({device}).",
            "Add the user to the group 'video' (sudo usermod -aG video $USER) and log in again.",
        )
    return SourceError(
        f"Camera '{name}' cannot be opened.", "Plug it in, or close the program that uses it; see `fer-live cameras`."
    )
