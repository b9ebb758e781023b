"""How a face moved from one picture to the next, told by the optical flow of points inside it.

A grid of points, followed forward and backward, is that of Kalal et al. 2010, 'Forward-Backward Error: Automatic
Detection of Tracking Failures' (ICPR, doi 10.1109/ICPR.2010.675). docs/following.md has what the numbers here rest on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.structs import Faces

_REACH = 1.5
"""Side of the part of a picture in which a face's points are sought, as a multiple of its region's."""
_PART_PX = 64
"""About the side, px, that such a part is shrunk to, so that a face of any size takes the same time."""
_GRID = 6
"""Points across and down."""
_SPREAD = 0.8
"""Side of the grid, as a multiple of the region's."""
_WINDOW_PX = (9, 9)
"""Width and height of the surroundings of a point that are sought in the other picture, in a shrunk part."""
_LEVELS = 2
_STEPS = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03)
_SAME_PX = 0.7
"""How far, in a shrunk part, a point may come back from where it began, or lie from where the others would have it."""
_AGREEING_MIN = 0.5
"""Share of the points that must come back and agree, or nobody knows where the face went."""

_UNIT_GRID = np.stack(np.meshgrid(*[np.linspace(-_SPREAD / 2, _SPREAD / 2, _GRID)] * 2), axis=-1).reshape(-1, 2)


def motion(
    before: NDArray[np.uint8], after: NDArray[np.uint8], region: NDArray[np.float32]
) -> NDArray[np.float64] | None:
    """How the face in a region (4,) of one picture moved until the next: a similarity (2, 3), px to px.

    before, after: uint8 (H, W, 3) BGR of the same size. None if too few points agree on one motion: the face turned
    away, was covered or left the picture, or another scene began.
    """
    height, width = before.shape[:2]
    x, y, side, _ = region.tolist()
    reach = _REACH * side / 2
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    factor = max(1, round(2 * reach / _PART_PX))
    columns, rows = (min(width, round(x + reach)) - left) // factor, (min(height, round(y + reach)) - top) // factor
    if min(columns, rows) < max(_WINDOW_PX):
        return None
    part = np.s_[top : top + rows * factor, left : left + columns * factor]
    points = (np.array((x, y)) + side * _UNIT_GRID - (left, top)) / factor
    shrunk = _shrunk(before[part], columns, rows), _shrunk(after[part], columns, rows)
    similarity = _similarity(*shrunk, points)
    if similarity is None:
        return None
    # From px of the shrunk part to px of the picture.
    corner = np.array((left, top))
    similarity[:, 2] = factor * similarity[:, 2] + corner - similarity[:, :2] @ corner
    return similarity


def _shrunk(part: NDArray[np.uint8], columns: int, rows: int) -> NDArray[np.uint8]:
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def _similarity(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    starts = np.asarray(points - 0.5, np.float32)[:, np.newaxis]  # OpenCV has 0 at the middle of a pixel
    ends, is_found = _flow(before, after, starts)
    returns, is_found_back = _flow(after, before, ends)
    comes_back = is_found & is_found_back & (np.abs(returns - starts).max(axis=(1, 2)) < _SAME_PX)
    comes_back &= (points > 0).all(axis=1) & (points < before.shape[1::-1]).all(axis=1)
    needed = _AGREEING_MIN * len(points)
    if comes_back.sum() < needed:
        return None
    similarity, agrees = cv2.estimateAffinePartial2D(
        starts[comes_back] + 0.5, ends[comes_back] + 0.5, method=cv2.RANSAC, ransacReprojThreshold=_SAME_PX
    )
    return None if similarity is None or agrees.sum() < needed else similarity


def _flow(
    before: NDArray[np.uint8], after: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where points (N, 1, 2) went, and which of them (N,) were found again."""
    ends, is_found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=_WINDOW_PX, maxLevel=_LEVELS, criteria=_STEPS
    )
    return np.asarray(ends, np.float32), np.asarray(is_found)[:, 0] == 1


def moved(faces: Faces, motions: NDArray[np.float64]) -> Faces:
    """Faces after motions (N, 2, 3), px to px, row for row; boxes stay upright, scores as they are."""
    turn, shift = motions[:, :, :2], motions[:, :, 2]
    scale = np.hypot(turn[:, 0, 0], turn[:, 1, 0])
    roll = np.arctan2(turn[:, 1, 0], turn[:, 0, 0])
    centres = _at(turn, shift, (faces.boxes[:, np.newaxis, :2] + faces.boxes[:, np.newaxis, 2:]) / 2)[:, 0]
    halves = (faces.boxes[:, 2:] - faces.boxes[:, :2]) / 2 * scale[:, np.newaxis]
    regions = np.column_stack(
        [
            _at(turn, shift, faces.regions[:, np.newaxis, :2])[:, 0],
            faces.regions[:, 2] * scale,
            faces.regions[:, 3] + roll,
        ]
    )
    boxes, keypoints = np.concatenate([centres - halves, centres + halves], axis=1), _at(turn, shift, faces.keypoints)
    return Faces(
        boxes.astype(np.float32), faces.scores, keypoints.astype(np.float32), regions.astype(np.float32)
    )


def _at(turn: NDArray[np.float64], shift: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where motions take points (N, M, 2)."""
    places: NDArray[np.float64] = points @ turn.transpose(0, 2, 1) + shift[:, np.newaxis]
    return places
