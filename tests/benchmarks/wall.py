"""A camera for benchmarks: so many faces of a real photograph, gently panned, at 640x480."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.capture.demo import portrait
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame

SIZE = (640, 480)
RATE_HZ = 30.0


class WallSource(Closing):
    """A Source of `frames` pictures with `faces` faces each (0 to 6)."""

    is_stills = False
    files: tuple[str, ...] = ()

    def __init__(self, faces: int, frames: int) -> None:
        self.name = f"wall-{faces}"
        self.identity = f"{faces:064d}"
        self.size: int | None = frames
        self._picture = _wall(faces)
        self._index = 0

    def read(self) -> Frame | None:
        """See Source.read."""
        if self._index == self.size:
            return None
        shift_x, shift_y = 6 * math.sin(self._index / 11), 4 * math.sin(self._index / 7)
        move = np.array([[1.0, 0, shift_x], [0, 1.0, shift_y]])
        image = cv2.warpAffine(self._picture, move, SIZE, borderMode=cv2.BORDER_REPLICATE)
        frame = Frame(np.asarray(image, np.uint8), self._index, self._index / RATE_HZ)
        self._index += 1
        return frame

    def close(self) -> None:
        """See Source.close."""


def _wall(faces: int) -> NDArray[np.uint8]:
    canvas = np.full((SIZE[1], SIZE[0], 3), 96, np.uint8)
    columns = 1 if faces <= 1 else 3
    width, height = SIZE[0] // columns, SIZE[1] if faces <= 3 else SIZE[1] // 2
    for number in range(faces):
        row, column = divmod(number, columns)
        tile = np.asarray(cv2.resize(portrait(), (round(height / 600 * 512), height)), np.uint8)
        tile = tile[:, :width] if tile.shape[1] > width else tile
        left = column * width + (width - tile.shape[1]) // 2
        canvas[row * height : (row + 1) * height, left : left + tile.shape[1]] = tile
    return canvas
