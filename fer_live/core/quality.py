"""Which faces are good enough to be read: docs/quality.md measures every number of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_live.config import QualityConfig
from fer_live.core.labels import Reason
from fer_live.core.structs import Faces

_NOSE, _RIGHT_EAR, _LEFT_EAR = 2, 4, 5
_LEAST_VARIANCE = 1.0
"""Of grey levels: below it there is nothing but the camera's noise to see."""
_LEAST_PX = 1e-6


def judge(faces: Faces, crops: NDArray[np.uint8], config: QualityConfig) -> tuple[str, ...]:
    """A Reason for each face that is not good enough, '' for one that is; the first that applies, in Reason's order.

    crops: uint8 (N, H, W), row for row of faces.
    """
    is_small = box_sides(faces.boxes) < config.min_face_px
    is_turned = turns(faces.keypoints) > config.max_turn
    is_blurred = sharpness(crops) < config.min_sharpness
    return tuple(
        Reason.TOO_SMALL if small else Reason.TURNED if turned else Reason.BLURRED if blurred else ""
        for small, turned, blurred in zip(is_small.tolist(), is_turned.tolist(), is_blurred.tolist(), strict=True)
    )


def box_sides(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of width and height, px, float32 (N,), of boxes (N, 4)."""
    sides: NDArray[np.float32] = (boxes[:, 2] - boxes[:, 0] + (boxes[:, 3] - boxes[:, 1])) * np.float32(0.5)
    return sides


def sharpness(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Variance of the Laplacian over the variance of the grey levels, float32 (N,), of crops uint8 (N, H, W).

    The first is the focus measure of Pech-Pacheco et al. 2000 ('Diatom autofocusing in brightfield microscopy', ICPR,
    doi 10.1109/ICPR.2000.903548); over the second, it does not change with contrast and light. 0 is flat, faces of
    FER2013 have 0.3 to 1.5. Noise looks like sharpness.
    """
    grey = crops.astype(np.float32)
    sides = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    laplacian = sides - 4 * grey[:, 1:-1, 1:-1]
    ratios: NDArray[np.float32] = laplacian.var(axis=(1, 2)) / np.maximum(grey.var(axis=(1, 2)), _LEAST_VARIANCE)
    return ratios


def turns(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far heads are turned to a side, float32 (N,), from keypoints (N, 6, 2) px in the order of `Faces`.

    Distance of the nose from the middle between the ears, along the line through them, in halves of their distance:
    0 is frontal, at 1 the nose is above an ear. With the nose m half-breadths before the ears this is m tan(yaw), seen
    from afar; roll changes nothing. That nose, eyes and ears tell the yaw: Gupta et al. 2019 (arXiv 1812.00739).
    """
    between = keypoints[:, _LEFT_EAR] - keypoints[:, _RIGHT_EAR]
    middle = (keypoints[:, _LEFT_EAR] + keypoints[:, _RIGHT_EAR]) / 2
    distance = np.maximum(np.sqrt((between * between).sum(axis=1)), _LEAST_PX)
    along = ((keypoints[:, _NOSE] - middle) * between).sum(axis=1) / distance
    ratios: NDArray[np.float32] = np.abs(along) / (distance / 2)
    return ratios
