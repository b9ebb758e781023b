"""The overlaid video of a session: frames with boxes and labels, as MP4."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.overlay import Caption, lay_out
from fer_live.core.structs import Frame, Track
from fer_live.errors import RecordError

OVERLAY_MP4 = "overlay.mp4"
_TIME_BASE = Fraction(1, 90_000)
_INSTALL = 'Install it with `pip install "fer-live[video]"`.'


def paint_overlay(image: NDArray[np.uint8], tracks: Sequence[Track], labels: Sequence[str]) -> NDArray[np.uint8]:
    """A copy of a picture, uint8 (H, W, 3) BGR, with a box and a caption for each face."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    draw = ImageDraw.Draw(picture)
    font: Any = ImageFont.load_default(size=max(12, round(picture.height / 30)))
    line_height = sum(font.getmetrics())

    def measure(text: str) -> tuple[float, float]:
        return draw.textlength(text, font), line_height

    for caption in lay_out(tracks, labels, picture.size, measure):
        _paint(draw, caption, font)
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def _paint(draw: Any, caption: Caption, font: Any) -> None:
    draw.rectangle(caption.box, outline=caption.colour, width=2 if caption.is_certain else 1)
    draw.rounded_rectangle(caption.pill, radius=4, fill=caption.colour)
    middle = (caption.pill[0] + caption.pill[2]) / 2, (caption.pill[1] + caption.pill[3]) / 2
    draw.text(middle, caption.text, fill=caption.text_colour, font=font, anchor="mm")


class OverlayVideo(Closing):
    """Writes painted frames with their own capture times; opened with the first frame."""

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        """Raises RecordError if PyAV or Pillow is not installed."""
        try:
            import av
            import PIL  # noqa: F401
        except ImportError as error:
            raise RecordError(f"--video needs a package that is not installed ({error.name}).", _INSTALL) from error
        self._av = av
        self._path = folder / OVERLAY_MP4
        self._labels = labels
        self._container: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._start_s = 0.0
        self._last_pts = -1

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Adds one frame; frames of another size than the first are scaled to it."""
        painted = paint_overlay(frame.image, tracks, self._labels)
        if self._container is None:
            self._open(frame)
        if painted.shape[1::-1] != self._size:
            painted = np.asarray(cv2.resize(painted, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(painted), format="bgr24")
        picture.pts = max(self._last_pts + 1, round((frame.captured_at - self._start_s) / _TIME_BASE))
        picture.time_base = _TIME_BASE
        self._last_pts = picture.pts
        self._mux(picture)

    def _open(self, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        # yuv420p needs even sides.
        self._size = (width - width % 2, height - height % 2)
        self._start_s = frame.captured_at
        try:
            self._container = self._av.open(str(self._path), "w")
        except (OSError, self._av.FFmpegError) as error:
            raise self._failure(error) from error
        self._stream = self._container.add_stream("libx264", rate=30, options={"crf": "20", "preset": "veryfast"})
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = _TIME_BASE

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
        """Finishes the file; calling it again does nothing."""
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
