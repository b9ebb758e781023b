from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.core.blurring import blur_faces

_BOX = np.array([80, 60, 140, 120], np.float32)


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (240, 320, 3), dtype=np.uint8)


def test_without_faces_the_picture_stays(noise: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(blur_faces(noise, []), noise)


def test_only_the_enlarged_box_changes_and_the_picture_itself_does_not(noise: NDArray[np.uint8]) -> None:
    before = noise.copy()
    blurred = blur_faces(noise, [_BOX])
    np.testing.assert_array_equal(noise, before)
    changed = (blurred != noise).any(axis=2)
    rows, columns = np.where(changed)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (62, 42, 158, 138)


def test_what_is_left_depends_on_16_averages_alone(noise: NDArray[np.uint8]) -> None:
    other = noise.copy()
    part = other[42:138, 62:158].reshape(4, 24, 4, 24, 3).transpose(0, 2, 1, 3, 4).reshape(16, 576, 3)
    for cell in part:
        np.random.default_rng(4).shuffle(cell)
    other[42:138, 62:158] = part.reshape(4, 4, 24, 24, 3).transpose(0, 2, 1, 3, 4).reshape(96, 96, 3)
    assert (other != noise).mean() > 0.1
    np.testing.assert_array_equal(blur_faces(noise, [_BOX])[42:138, 62:158], blur_faces(other, [_BOX])[42:138, 62:158])


@pytest.mark.parametrize(
    "box", [(-50, -50, 30, 30), (300, 200, 400, 300), (-10, -10, 400, 300), (5, 5, 9, 9), (400, 300, 500, 400)]
)
def test_boxes_may_reach_over_the_border_or_lie_outside(noise: NDArray[np.uint8], box: tuple[int, ...]) -> None:
    blurred = blur_faces(noise, [np.array(box, np.float32)])
    assert blurred.shape == noise.shape
    is_outside = box[0] >= 320 + 0.3 * 100
    assert (blurred == noise).all() == is_outside
