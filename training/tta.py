"""Test-time augmentation: several views of each face, whose probabilities are averaged.

Live use and all figures that do not name it go without.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.preprocess import crop_faces
from training.layouts import SPEC

_CROP_SIDE = 40
Faces = NDArray[np.uint8]


def _as_is(faces: Faces) -> list[Faces]:
    return [faces]


def _with_mirror(faces: Faces) -> list[Faces]:
    return [faces, np.ascontiguousarray(faces[:, :, ::-1])]


def _ten_crops(faces: Faces) -> list[Faces]:
    """The four corners and the centre, 40 of 48 px, and their mirror images.

    Ten crops are Krizhevsky et al.'s (2012); 40 px is what Khaireddin & Chen (2021, arXiv 2105.03588) and others take
    from FER2013. Their networks accept 40 px, ours 48, so each crop is enlarged as a face of 40 px is in live use.
    """
    low, middle, high = _CROP_SIDE / 2, SPEC.width / 2, SPEC.width - _CROP_SIDE / 2
    centres = ((low, low), (high, low), (low, high), (high, high), (middle, middle))
    regions = np.array([(x, y, _CROP_SIDE, 0) for x, y in centres], np.float32)
    crops = np.stack([crop_faces(cv2.cvtColor(face, cv2.COLOR_GRAY2BGR), regions, SPEC) for face in faces])
    return [view for place in range(len(centres)) for view in _with_mirror(crops[:, place])]


VIEWS: dict[str, Callable[[Faces], list[Faces]]] = {"none": _as_is, "flip": _with_mirror, "tencrop": _ten_crops}
"""Views, each uint8 (N, 48, 48), of faces uint8 (N, 48, 48), by the name of what `--tta` asks for."""
