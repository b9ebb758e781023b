"""Boxes and regions of faces, px; angles are radians, clockwise on the picture.

A picture has few faces, and NumPy takes longer for a handful of numbers than Python does: what needs no array has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = Sequence[float]
"""Left, top, right, bottom, px."""

_RIGHT_EYE, _LEFT_EYE = 0, 1


@dataclass(frozen=True)
class Framing:
    """Where the square framed like a training face lies around a found box. Measured in docs/framing.md.

    scale: side of the square as a multiple of the box's side (the mean of its width and height).
    shift_x, shift_y: from the box's centre to the square's, as fractions of the box's side, right and down
    along the axes of the square.
    """

    scale: float
    shift_x: float
    shift_y: float


def iou(box: Box, other: Box) -> float:
    """Intersection over union of two boxes; 0 if both are empty."""
    shared = _shared_area(box, other)
    return shared / (_area(box) + _area(other) - shared) if shared else 0.0


def covered_share(box: Box, other: Box) -> float:
    """Intersection over the smaller of both areas: 1 where one box lies inside the other, 0 if either is empty."""
    shared = _shared_area(box, other)
    return shared / min(_area(box), _area(other)) if shared else 0.0


def _shared_area(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def suppress_overlaps(boxes: Sequence[Box], scores: Sequence[float], covered_max: float) -> list[int]:
    """Greedy non-maximum suppression: rows to keep, largest score first, the earlier row at equal scores.

    A box is dropped if its covered_share with a kept one is above covered_max: unlike an overlap over the union, this
    also drops a mouth or half a face found inside the whole face.
    """
    kept: list[int] = []
    for row in sorted(range(len(boxes)), key=lambda row: -scores[row]):
        if all(covered_share(boxes[row], boxes[other]) <= covered_max for other in kept):
            kept.append(row)
    return kept


def eye_roll(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Roll of heads, float32 (N,), from keypoints (N, 6, 2) px in the order of `Faces`; 0 is upright."""
    right_to_left = keypoints[:, _LEFT_EYE] - keypoints[:, _RIGHT_EYE]
    roll: NDArray[np.float32] = np.arctan2(right_to_left[:, 1], right_to_left[:, 0])
    return roll


def frame_boxes(
    boxes: NDArray[np.float32], roll: NDArray[np.float32], framing: Framing
) -> NDArray[np.float32]:
    """Regions float32 (N, 4) of centre x, centre y, side (px), roll around boxes float32 (N, 4) with roll (N,)."""
    low, high = boxes[:, :2], boxes[:, 2:]
    extents = high - low
    sides = (extents[:, 0] + extents[:, 1]) / 2
    cos, sin = np.cos(roll), np.sin(roll)
    regions = np.empty_like(boxes)
    regions[:, :2] = (low + high) / 2
    regions[:, 0] += sides * (framing.shift_x * cos - framing.shift_y * sin)
    regions[:, 1] += sides * (framing.shift_x * sin + framing.shift_y * cos)
    regions[:, 2] = sides * framing.scale
    regions[:, 3] = roll
    return regions


def region_box(region: Sequence[float]) -> Box:
    """The box of a region (centre x, centre y, side, roll) turned upright: so regions are compared."""
    x, y, side, _ = region
    half = side / 2
    return x - half, y - half, x + half, y + half
