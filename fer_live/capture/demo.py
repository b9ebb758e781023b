"""A camera for trying things out: a real photograph, tiled, panned and zoomed as a camera would."""

from __future__ import annotations

import hashlib
import math
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.capture.pictures import decode_picture
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame
from fer_live.errors import SourceError

_SIZE = (640, 480)
_RATE_HZ = 30.0
_SECONDS = 8
_PHOTOGRAPH = "mpl-data/sample_data/grace_hopper.jpg"


class DemoSource(Closing):
    """Frames of 640x480 at 30 Hz over a wall of portraits of Grace Hopper (public domain, shipped by matplotlib).

    The view starts on one face, draws back until six are seen, and returns. It is the same each time.
    """

    name = "demo"
    is_stills = False
    files: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Raises SourceError if the photograph is not installed."""
        self._wall = _wall()
        self.size: int | None = int(_SECONDS * _RATE_HZ)
        self.identity = hashlib.sha256(self._wall.tobytes() + repr((_SIZE, self.size)).encode()).hexdigest()
        self._index = 0

    def read(self) -> Frame | None:
        """See Source.read."""
        if self._index == self.size:
            return None
        frame = Frame(self._view(self._index / _RATE_HZ), self._index, self._index / _RATE_HZ)
        self._index += 1
        return frame

    def _view(self, time_s: float) -> NDArray[np.uint8]:
        turn = 2 * math.pi * time_s / _SECONDS
        away = (1 - math.cos(turn)) / 2
        scale = 1.0 + 0.9 * away
        height, width = self._wall.shape[:2]
        centre_x = width / 2 + 60 * math.sin(2 * turn)
        centre_y = height * (0.2 + 0.22 * away) + 10 * math.sin(3 * turn)
        left, top = centre_x - scale * _SIZE[0] / 2, centre_y - scale * _SIZE[1] / 2
        to_wall = np.array([[scale, 0, left], [0, scale, top]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(self._wall, to_wall, _SIZE, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, np.uint8)

    def close(self) -> None:
        """See Source.close."""


def _wall() -> NDArray[np.uint8]:
    """Two rows of three portraits, every other one mirrored: uint8 (H, W, 3) BGR."""
    face = portrait()
    row = np.hstack([cv2.flip(face, 1), face, cv2.flip(face, 1)])
    return np.asarray(np.vstack([row, cv2.flip(row, 1)]), np.uint8)


def portrait() -> NDArray[np.uint8]:
    """The photograph: uint8 (600, 512, 3) BGR; raises SourceError if it is not installed."""
    try:
        photograph = resources.files("matplotlib").joinpath(_PHOTOGRAPH).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise SourceError("The demo's photograph is missing.", "Reinstall matplotlib.") from error
    picture = decode_picture(photograph)
    if picture is None:
        raise SourceError("The demo's photograph is damaged.", "Reinstall matplotlib.")
    return picture
