"""The flow of real pixels: a photograph that is moved by known similarities."""

import cv2
import numpy as np
import pytest

from fer_live.core.structs import Faces
from fer_live.detect.flow import motion, moved

FACE = np.array((256, 185, 200, 0.0), np.float32)
"""About the region of the photograph's face."""


def similarity(scale=1.0, turn_deg=0.0, right=0.0, down=0.0):
    """About the face's middle."""
    matrix = cv2.getRotationMatrix2D((256, 185), -turn_deg, scale)
    matrix[:, 2] += right, down
    return matrix


def warped(image, matrix):
    # OpenCV has 0 at the middle of a pixel, this project at its corner.
    matrix = matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def corners(region):
    x, y, side, _ = region
    return np.array([(x + dx * side / 2, y + dy * side / 2, 1) for dx in (-1, 1) for dy in (-1, 1)])


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"right": 0.4, "down": -0.3},
        {"right": 14, "down": 9},
        {"scale": 1.06},
        {"scale": 0.94},
        {"turn_deg": 5},
        {"scale": 1.03, "turn_deg": -3, "right": -8, "down": 5},
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1.0, 0.25, 2.5])
def test_the_motion_of_a_face_is_told_to_a_hundredth_of_its_side(photo, step, size):
    matrix = similarity(**step)
    after = warped(photo, matrix)
    before, after = (cv2.resize(each, None, fx=size, fy=size, interpolation=cv2.INTER_AREA) for each in (photo, after))
    matrix[:, 2] *= size
    region = FACE * (size, size, size, 1)
    found = motion(before, after, region.astype(np.float32))
    wrong = corners(region) @ (found - matrix).T
    assert np.abs(wrong).max() < 0.01 * region[2]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: cv2.flip(image, 0),
        lambda image: np.full_like(image, 90),
        lambda image: np.roll(image, 150, axis=1),
        lambda image: cv2.rectangle(image.copy(), (100, 150), (400, 600), (40, 60, 80), -1),
        lambda image: np.random.default_rng(0).integers(0, 255, image.shape, np.uint8),
    ],
    ids=["upside down", "a wall", "far away", "half covered", "noise"],
)
def test_a_face_that_is_not_there_any_more_has_no_motion(photo, change):
    assert motion(photo, change(photo), FACE) is None


def test_a_flat_region_has_no_motion():
    wall = np.full((480, 640, 3), 90, np.uint8)
    assert motion(wall, wall, FACE) is None


@pytest.mark.parametrize(("edge", "is_followed"), [(180, True), (240, True), (300, False), (480, False)])
def test_a_face_is_followed_until_half_of_it_has_left_the_picture(photo, edge, is_followed):
    part = np.ascontiguousarray(photo[:, edge:])
    assert (motion(part, part, FACE - np.array((edge, 0, 0, 0), np.float32)) is not None) == is_followed


@pytest.mark.parametrize("centre", [(-300, 50), (256, 2000)])
def test_a_region_outside_the_picture_has_no_motion(photo, centre):
    assert motion(photo, photo, np.array((*centre, 80, 0), np.float32)) is None


def test_all_of_a_face_is_moved():
    keypoints = np.array([[(12, 14), (16, 14), (14, 16), (14, 18), (10, 15), (18, 15)]], np.float32)
    faces = Faces(
        np.array([(10, 10, 18, 22)], np.float32),
        np.array([0.8], np.float32),
        keypoints,
        np.array([(14, 15, 10, 0.1)], np.float32),
    )
    quarter = np.array([[(0, -2, 100), (2, 0, 50)]], np.float64)  # a quarter turn clockwise, doubled
    result = moved(faces, quarter)
    np.testing.assert_allclose(result.regions, [(70, 78, 20, 0.1 + np.pi / 2)], rtol=1e-6)
    np.testing.assert_allclose(result.keypoints[0, :2], [(72, 74), (72, 82)])
    np.testing.assert_allclose(result.boxes, [(60, 66, 76, 90)])
    np.testing.assert_array_equal(result.scores, faces.scores)


def test_each_face_has_its_own_motion():
    boxes = np.array([(0, 0, 10, 10), (50, 50, 70, 70)], np.float32)
    regions = np.array([(5, 5, 10, 0), (60, 60, 20, 0)], np.float32)
    faces = Faces(boxes, np.array([0.9, 0.8], np.float32), np.zeros((2, 6, 2), np.float32), regions)
    result = moved(faces, np.array([[(1, 0, 3), (0, 1, 0)], [(1, 0, 0), (0, 1, -4)]], np.float64))
    np.testing.assert_allclose(result.boxes, [(3, 0, 13, 10), (50, 46, 70, 66)])
    np.testing.assert_allclose(result.regions, [(8, 5, 10, 0), (60, 56, 20, 0)])
