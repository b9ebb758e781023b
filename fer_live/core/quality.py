"""Which faces are good enough to be read: docs/quality.md measures every number of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.config import QualityConfig
from fer_live.core.geometry import Box
from fer_live.core.labels import Reason
from fer_live.core.structs import Faces

Keypoints = Sequence[Sequence[float]]
"""x and y, px, of the six points in the order of `Faces`."""

_NOSE, _RIGHT_EAR, _LEFT_EAR = 2, 4, 5
_LEAST_VARIANCE = 1.0
"""Of grey levels: below it there is nothing but the camera's noise to see."""
_LEAST_PX = 1e-6


def judge(faces: Faces, crops: NDArray[np.uint8], config: QualityConfig) -> tuple[str, ...]:
    """A Reason for each face that is not good enough, '' for one that is; the first that applies, in Reason's order.

    crops: uint8 (N, H, W), row for row of faces.
    """
    boxes, keypoints = faces.boxes.tolist(), faces.keypoints.tolist()
    return tuple(_reason(*face, config) for face in zip(boxes, keypoints, crops, strict=True))


def _reason(box: Box, keypoints: Keypoints, crop: NDArray[np.uint8], config: QualityConfig) -> str:
    if box_side(box) < config.min_face_px:
        return Reason.TOO_SMALL
    if turn(keypoints) > config.max_turn:
        return Reason.TURNED
    return Reason.BLURRED if sharpness(crop) < config.min_sharpness else ""


def box_side(box: Box) -> float:
    """Mean of width and height, px."""
    left, top, right, bottom = box
    return (right - left + (bottom - top)) / 2


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian over the variance of the grey levels, of a crop uint8 (H, W).

    The first is the focus measure of Pech-Pacheco et al. 2000 ('Diatom autofocusing in brightfield microscopy', ICPR,
    doi 10.1109/ICPR.2000.903548); over the second, it does not change with contrast and light. 0 is flat, faces of
    FER2013 have 0.3 to 1.5. Noise looks like sharpness.
    """
    inside = cv2.Laplacian(crop, cv2.CV_16S)[1:-1, 1:-1]
    return _variance(inside) / max(_variance(crop), _LEAST_VARIANCE)


def _variance(levels: cv2.typing.MatLike) -> float:
    deviation: float = cv2.meanStdDev(levels)[1].item()
    return deviation * deviation


def turn(keypoints: Keypoints) -> float:
    """How far a head is turned to a side.

    Distance of the nose from the middle between the ears, along the line through them, in halves of their distance:
    0 is frontal, at 1 the nose is above an ear. With the nose m half-breadths before the ears this is m tan(yaw), seen
    from afar; roll changes nothing. That nose, eyes and ears tell the yaw: Gupta et al. 2019 (arXiv 1812.00739).
    """
    nose, right, left = keypoints[_NOSE], keypoints[_RIGHT_EAR], keypoints[_LEFT_EAR]
    across, down = left[0] - right[0], left[1] - right[1]
    distance = max(math.hypot(across, down), _LEAST_PX)
    x, y = nose[0] - (left[0] + right[0]) / 2, nose[1] - (left[1] + right[1]) / 2
    return abs(x * across + y * down) / distance / (distance / 2)
