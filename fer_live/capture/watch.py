"""Notices a camera that still delivers frames but no longer a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_live.core.structs import Frame
from fer_live.errors import SourceError

PATIENCE_S = 1.5
"""How long a picture may stand still or be black: under the two seconds after which users must be told."""

_BLACK_MAX = 8
_STEP = 8


class PictureWatch:
    """Raises SourceError when the picture has been frozen or black for PATIENCE_S.

    Real sensors have noise: pictures that are equal to the last bit come from a driver that repeats its last one.
    is_alive: the last picture was lit and not the one before it.
    """

    def __init__(self) -> None:
        self._sample: NDArray[np.uint8] | None = None
        self._moved_at = self._lit_at = 0.0
        self.is_alive = False

    def check(self, frame: Frame) -> None:
        """Looks at one frame, in order of time."""
        sample = frame.image[::_STEP, ::_STEP]
        is_first = self._sample is None
        has_moved = self._sample is not None and not np.array_equal(sample, self._sample)
        is_lit = int(sample.max()) > _BLACK_MAX
        self.is_alive = has_moved and is_lit
        if is_first or has_moved:
            self._sample, self._moved_at = sample.copy(), frame.captured_at
        if is_first or is_lit:
            self._lit_at = frame.captured_at
        if frame.captured_at - self._lit_at >= PATIENCE_S:
            raise SourceError("The camera's picture is black.", "Open its cover, or switch on the light.")
        if frame.captured_at - self._moved_at >= PATIENCE_S:
            raise SourceError("The camera's picture is frozen.", "Unplug the camera and plug it in again.")
