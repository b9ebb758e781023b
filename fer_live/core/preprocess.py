"""Frame and face regions to network input. Live use and training share this module."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.modelcard import InputSpec

_OVERSAMPLING_MAX = 8
_MARGIN_PX = 2.0
"""How much further than its corners a region reaches: what interpolation looks at."""


def crop_faces(
    image: NDArray[np.uint8], regions: NDArray[np.float32], spec: InputSpec
) -> NDArray[np.uint8]:
    """Cuts upright, square, grey crops out of a picture.

    image: uint8 (H, W, 3) BGR.
    regions: float32 (N, 4) of centre x, centre y, side (px) and roll (rad, clockwise on the picture).
    Returns uint8 (N, spec.height, spec.width). Pixels outside the picture repeat its border.
    """
    crops = np.empty((len(regions), spec.height, spec.width), np.uint8)
    for crop, (x, y, side, roll) in zip(crops, regions.tolist(), strict=True):
        _cut(image, x, y, side, roll, crop)
    return crops


def _cut(
    image: NDArray[np.uint8], x: float, y: float, side: float, roll: float, out: NDArray[np.uint8]
) -> None:
    cos, sin = math.cos(roll), math.sin(roll)
    grey, left, top = _grey_around(image, x, y, side * (abs(cos) + abs(sin)) / 2)
    height, width = out.shape
    # Sampling at about one sample a source pixel, then averaging areas, avoids the aliasing of a plain warp.
    factor = min(max(1, round(side / width)), _OVERSAMPLING_MAX)
    columns, rows = width * factor, height * factor
    across, down = side / columns, side / rows
    centre_u, centre_v = (columns - 1) / 2, (rows - 1) / 2
    target_to_source = np.array(
        [
            [cos * across, -sin * down, x - 0.5 - cos * across * centre_u + sin * down * centre_v - left],
            [sin * across, cos * down, y - 0.5 - sin * across * centre_u - cos * down * centre_v - top],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        grey, target_to_source, (columns, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    out[...] = warped if factor == 1 else cv2.resize(warped, (width, height), interpolation=cv2.INTER_AREA)


def _grey_around(image: NDArray[np.uint8], x: float, y: float, reach: float) -> tuple[NDArray[np.uint8], int, int]:
    """What a region reaches of a picture, or the border nearest to it: grey, uint8 (h, w), and its corner, px.

    Converting all of a large picture takes longer than cutting out a face.
    """
    height, width = image.shape[:2]
    reach += _MARGIN_PX
    left, right = min(max(int(x - reach), 0), width - 1), min(max(int(x + reach), 0), width - 1)
    top, bottom = min(max(int(y - reach), 0), height - 1), min(max(int(y + reach), 0), height - 1)
    part = image[top : bottom + 1, left : right + 1]
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), np.uint8), left, top


def to_batch(crops: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """Crops uint8 (N, H, W) to network input float32 (N, 1, H, W), C-contiguous, in [0, 255].

    Normalization is inside the exported graph, so nothing else happens here.
    Raises ValueError if the crops do not have the specified shape or dtype.
    """
    if crops.dtype != np.uint8 or crops.shape[1:] != (spec.height, spec.width):
        raise ValueError(
            f"crops must be uint8 (N, {spec.height}, {spec.width}), got {crops.dtype} {crops.shape}"
        )
    return crops[:, np.newaxis].astype(np.float32)
