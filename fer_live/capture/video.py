"""A video file, frame by frame, timed by the file's own clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer_live.capture.camera import known_rate
from fer_live.capture.source import Hashes
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame
from fer_live.errors import SourceError
from fer_live.source_names import printable

_MOST_UNREADABLE = 100_000
_PLAYABLE = "Check that it plays in a video player, or convert it to MP4 (H.264)."


class VideoSource(Closing):
    """All frames of a video file, as fast as they are read, upright as the phone was held.

    captured_at is media time in seconds from the first frame. Frames that cannot be decoded are passed over, with a
    gap in the frames' numbers.
    """

    is_stills = False
    files: tuple[str, ...] = ()

    def __init__(self, path: Path, hashes: Hashes | None = None) -> None:
        """hashes: where the file's may be known. Raises SourceError if it is missing, empty or not a video."""
        if not path.is_file():
            raise SourceError(f"There is no file '{path}'.", "Check the path.")
        if path.stat().st_size == 0:
            raise SourceError(f"Video '{path}' is empty (0 bytes).", "Record or copy it again.")
        self.name = printable(path.stem)
        self._path = path
        self._hashes = hashes or Hashes()
        # Absolute, since FFmpeg would take what stands before a colon in a relative path for a protocol. As bytes,
        # since OpenCV crashes at a str that is not UTF-8.
        address: Any = os.fsencode(path.absolute())
        self._video = cv2.VideoCapture(address, cv2.CAP_FFMPEG)
        self._video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        count = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        self.size = count if count > 0 else None
        self._interval_s = 1 / (known_rate(self._video) or 25)
        self._index = 0
        self._first_s: float | None = None
        self._position_s = self._last_s = 0.0
        self._first = self._decode()
        if self._first is None:
            self.close()
            raise SourceError(f"'{path}' cannot be read as a video.", _PLAYABLE)

    @property
    def identity(self) -> str:
        """See Source.identity."""
        return self._hashes.of(self._path)

    def read(self) -> Frame | None:
        """See Source.read."""
        frame, self._first = self._first, None
        return frame if frame is not None else self._decode()

    def _decode(self) -> Frame | None:
        decoded, image = self._video.read()
        # Behind a damaged part there may be more: FFmpeg goes on at the next key frame. The number of frames may be
        # damaged, too.
        announced_end = min(self.size or 0, self._index + _MOST_UNREADABLE)
        while not decoded and self._index < announced_end:
            self._index += 1
            decoded, image = self._video.read()
        if not decoded:
            return None
        frame = Frame(np.asarray(image, np.uint8), self._index, self._media_time())
        self._index += 1
        return frame

    def _media_time(self) -> float:
        """Presentation time of the frame just decoded; where it has none, or an old one, from the frame rate.

        Never goes back, and an old time moves none of those after it.
        """
        before_s, self._position_s = self._position_s, self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._first_s is None:
            self._first_s = self._position_s
        elif self._position_s > before_s:
            self._last_s = max(self._last_s, self._position_s - self._first_s)
        else:
            self._last_s += self._interval_s
        return self._last_s

    def close(self) -> None:
        """See Source.close."""
        self._video.release()
