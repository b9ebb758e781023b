"""The overlaid video of a session: frames with boxes and labels, as MP4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.overlay import Caption, lay_out
from fer_live.core.structs import Frame, Track
from fer_live.record.mp4 import Mp4File, check_packages

OVERLAY_MP4 = "overlay.mp4"
_ENCODING = {"crf": "20", "preset": "veryfast"}


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
        check_packages("--video", "av", "PIL")
        self._path = folder / OVERLAY_MP4
        self._labels = labels
        self._file: Mp4File | None = None
        self._start_s = 0.0

    def write(self, frame: Frame, tracks: Sequence[Track]) -> None:
        """Adds one frame; frames of another size than the first are scaled to it. Raises RecordError."""
        painted = paint_overlay(frame.image, tracks, self._labels)
        if self._file is None:
            height, width = painted.shape[:2]
            self._start_s = frame.captured_at
            self._file = Mp4File(self._path, width, height, _ENCODING)
        self._file.write(painted, frame.captured_at - self._start_s)

    def close(self) -> None:
        """Finishes the file; calling it again does nothing. Raises RecordError."""
        if self._file is not None:
            self._file.close()
