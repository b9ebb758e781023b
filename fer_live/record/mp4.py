"""An MP4 file of frames at their own times, through PyAV."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.errors import RecordError

_TIME_BASE = Fraction(1, 90_000)
_ENCODER = "libx264"  # builds of FFmpeg without the GPL have none
_INSTALL = 'Install it with `pip install "fer-live[video]"`.'


class Mp4File(Closing):
    """H.264, yuv420p; needs the package av."""

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        encoding: Mapping[str, str],
        layout: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the file; an odd last column or row of the pictures is cut off. Raises RecordError.

        encoding: options of libx264. layout: options of FFmpeg's MP4 writer.
        """
        import av

        self._av = av
        self._path = path
        # yuv420p needs even sides.
        self._size = (max(2, width - width % 2), max(2, height - height % 2))
        self._last_pts = -1
        self._container: Any = None
        try:
            self._container = av.open(str(path), "w", options=dict(layout or {}))
        except (OSError, av.FFmpegError) as error:
            raise self._failure(error) from error
        try:
            self._stream: Any = self._container.add_stream(_ENCODER, rate=30, options=dict(encoding))
        except av.codec.codec.UnknownCodecError as error:
            self._container.close()
            raise RecordError(f"'{path}' cannot be written: PyAV has no {_ENCODER} here.", _INSTALL) from error
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _TIME_BASE

    def write(self, image: NDArray[np.uint8], time_s: float) -> None:
        """Adds a picture, uint8 (H, W, 3) BGR, scaled to the file's size. time_s: since the start of the video, s."""
        if image.shape[1::-1] != self._size:
            image = np.asarray(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
        picture.pts = max(self._last_pts + 1, round(time_s / _TIME_BASE))
        picture.time_base = _TIME_BASE
        self._last_pts = picture.pts
        self._mux(picture)

    def _mux(self, picture: Any) -> None:
        """Encodes a picture, or with None ends the encoding, and writes what comes out."""
        try:
            for packet in self._stream.encode(picture):
                self._container.mux(packet)
        except (OSError, self._av.FFmpegError) as error:
            # Never written to again: FFmpeg crashes if it goes on after a header that it could not write.
            failed, self._container = self._container, None
            with suppress(OSError, self._av.FFmpegError):
                failed.close()
            raise self._failure(error) from error

    def close(self) -> None:
        """Finishes the file; calling it again does nothing. Raises RecordError."""
        if self._container is None:
            return
        self._mux(None)
        container, self._container = self._container, None
        try:
            container.close()
        except (OSError, self._av.FFmpegError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Any) -> RecordError:
        return RecordError(f"'{self._path}' cannot be written ({error.strerror}).", "Free some space.")


def check_packages(what: str, *names: str) -> None:
    """Raises RecordError if a package that `what` needs is not installed."""
    for name in names:
        try:
            __import__(name)
        except ImportError as error:
            raise RecordError(
                f"{what} needs a package that is not installed ({name}).",
                _INSTALL,
            ) from error
