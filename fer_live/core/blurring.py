"""Making faces unrecognizable."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

_CELLS = 4
"""What is left of a face: averages of so many cells each way. Nothing finer is in the picture any more."""
_MARGIN = 0.3
"""How much further than the found box the blur reaches on each side, of its size: hair, ears and neck."""


def blur_faces(image: NDArray[np.uint8], boxes: Iterable[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """A copy of a picture, uint8 (H, W, 3) BGR, whose boxes, float32 (4,) xyxy in px, show no face.

    The picture in each enlarged box is replaced by 4 x 4 averages, smoothly joined: what else was there cannot be
    brought back, since it is not there.
    """
    blurred = image.copy()
    height, width = image.shape[:2]
    for left, top, right, bottom in boxes:
        across, down = _MARGIN * (right - left), _MARGIN * (bottom - top)
        x0, y0 = max(0, int(left - across)), max(0, int(top - down))
        x1, y1 = min(width, int(np.ceil(right + across))), min(height, int(np.ceil(bottom + down)))
        if x0 < x1 and y0 < y1:
            blurred[y0:y1, x0:x1] = _smear(blurred[y0:y1, x0:x1])
    return blurred


def _smear(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = part.shape[:2]
    cells = cv2.resize(part, (min(_CELLS, width), min(_CELLS, height)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
