"""A camera for measuring: a known number of faces of a real photograph, gently moved."""

from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.capture.demo import portrait
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame

RATE_HZ = 30.0

_GREY = 96
_HEAD = (slice(60, 400), slice(95, 435))
"""Rows and columns of the photograph with little more than the head."""
_UNIFORM = slice(400, 600)
"""Rows of the photograph without a face."""
_WHOLE_UP_TO = 6
"""With more faces than this, the whole photograph would leave them too small to be found."""


class WallSource(Closing):
    """A Source of pictures of a wall with portraits of Grace Hopper, as the demo has; the same each time.

    The view sways by up to 6 px, by fractions of a pixel, so that no two pictures in a row are equal.
    """

    is_stills = False
    files: tuple[str, ...] = ()

    def __init__(self, faces: int, frames: int | None = None, width: int = 640, height: int = 480) -> None:
        """faces: how many are on the wall. frames: after which it ends, or None for never. width, height: px.

        Raises SourceError if the photograph is not installed.
        """
        self.name = f"wall of {faces}"
        self.size = frames
        self._picture = _wall(faces, width, height)
        self.identity = hashlib.sha256(self._picture.tobytes() + repr((width, height, frames)).encode()).hexdigest()
        self._index = 0

    def read(self) -> Frame | None:
        """See Source.read."""
        if self._index == self.size:
            return None
        right, down = 6 * math.sin(self._index / 11), 4 * math.sin(self._index / 7)
        height, width = self._picture.shape[:2]
        move = np.array([[1.0, 0, right], [0, 1.0, down]])
        image = cv2.warpAffine(self._picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        frame = Frame(np.asarray(image, np.uint8), self._index, self._index / RATE_HZ)
        self._index += 1
        return frame

    def close(self) -> None:
        """See Source.close."""


def _wall(faces: int, width: int, height: int) -> NDArray[np.uint8]:
    """Portraits as large as so many of them can be, in a grid, every other one mirrored: uint8 (H, W, 3) BGR."""
    if faces == 0:
        return np.asarray(cv2.resize(portrait()[_UNIFORM], (width, height)), np.uint8)
    wall = np.full((height, width, 3), _GREY, np.uint8)
    picture = portrait() if faces <= _WHOLE_UP_TO else portrait()[_HEAD]
    scale, columns = max((_scale(picture, faces, columns, width, height), columns) for columns in range(1, faces + 1))
    cell_width, cell_height = width // columns, height // math.ceil(faces / columns)
    tile = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:cell_height, :cell_width]
    for number in range(faces):
        row, column = divmod(number, columns)
        top, left = row * cell_height, column * cell_width + (cell_width - tile.shape[1]) // 2
        wall[top : top + tile.shape[0], left : left + tile.shape[1]] = tile[:, :: -1 if number % 2 else 1]
    return wall


def _scale(picture: NDArray[np.uint8], faces: int, columns: int, width: int, height: int) -> float:
    """How large each picture can be in so many columns."""
    rows = math.ceil(faces / columns)
    scale: float = min(width / columns / picture.shape[1], height / rows / picture.shape[0])
    return scale
