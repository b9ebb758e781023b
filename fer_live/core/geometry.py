"""Boxes and regions of faces. Boxes are float32 (N, 4) xyxy, px; angles are radians, clockwise on the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def iou(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union, float32 (N, M), of boxes (N, 4) with others (M, 4); empty boxes have 0."""
    shared = _shared_areas(boxes, others)
    return _ratio(shared, _areas(boxes)[:, np.newaxis] + _areas(others) - shared)


def covered_share(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over the smaller of both areas, float32 (N, M): 1 where one box lies inside the other."""
    return _ratio(_shared_areas(boxes, others), np.minimum(_areas(boxes)[:, np.newaxis], _areas(others)))


def _shared_areas(boxes: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    low = np.maximum(boxes[:, np.newaxis, :2], others[:, :2])
    high = np.minimum(boxes[:, np.newaxis, 2:], others[:, 2:])
    sides = np.maximum(high - low, 0)
    shared: NDArray[np.float32] = sides[..., 0] * sides[..., 1]
    return shared


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas: NDArray[np.float32] = sides[:, 0] * sides[:, 1]
    return areas


def _ratio(part: NDArray[np.float32], whole: NDArray[np.float32]) -> NDArray[np.float32]:
    ratio: NDArray[np.float32] = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return ratio


def suppress_overlaps(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], covered_max: float
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: rows to keep, largest score first, the earlier row at equal scores.

    boxes: (N, 4); scores: (N,). A box is dropped if its covered_share with a kept one is above covered_max:
    unlike an overlap over the union, this also drops a mouth or half a face found inside the whole face.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    order = np.argsort(-scores, kind="stable")
    overlaps = covered_share(boxes, boxes) > covered_max
    kept: list[int] = []
    for row in order.tolist():
        if not overlaps[row, kept].any():
            kept.append(row)
    return np.array(kept, np.intp)


def eye_roll(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Roll of heads, float32 (N,), from keypoints (N, 6, 2) px in the order of `Faces`; 0 is upright."""
    right_to_left = keypoints[:, _LEFT_EYE] - keypoints[:, _RIGHT_EYE]
    roll: NDArray[np.float32] = np.arctan2(right_to_left[:, 1], right_to_left[:, 0])
    return roll


def frame_boxes(
    boxes: NDArray[np.float32], roll: NDArray[np.float32], framing: Framing
) -> NDArray[np.float32]:
    """Regions float32 (N, 4) of centre x, centre y, side (px), roll around boxes (N, 4) with roll (N,)."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = (boxes[:, 2] - boxes[:, 0] + (boxes[:, 3] - boxes[:, 1])) / 2
    cos, sin = np.cos(roll), np.sin(roll)
    x = centres[:, 0] + sides * (framing.shift_x * cos - framing.shift_y * sin)
    y = centres[:, 1] + sides * (framing.shift_x * sin + framing.shift_y * cos)
    return np.stack([x, y, sides * framing.scale, roll], axis=1).astype(np.float32)


def region_boxes(regions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes (N, 4) of regions (N, 4) turned upright, for comparing what different finders framed."""
    half = regions[:, 2:3] / 2
    return np.concatenate([regions[:, :2] - half, regions[:, :2] + half], axis=1)
