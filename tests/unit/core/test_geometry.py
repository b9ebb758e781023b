import numpy as np
import pytest

from fer_live.core.geometry import (
    Framing,
    covered_share,
    eye_roll,
    frame_boxes,
    iou,
    region_box,
    suppress_overlaps,
)


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 2, 2), 1), ((1, 0, 3, 2), 1 / 3), ((0, 1, 2, 2), 0.5), ((2, 0, 4, 2), 0), ((1, 1, 1, 1), 0)],
    ids=["same", "shifted", "half", "beside", "empty"],
)
def test_iou(other, expected):
    assert iou((0, 0, 2, 2), other) == iou(other, (0, 0, 2, 2)) == pytest.approx(expected)


def test_iou_of_empty_boxes_is_zero():
    assert iou((1, 1, 1, 1), (1, 1, 1, 1)) == 0


@pytest.mark.parametrize(
    ("other", "expected"),
    [((2, 2, 4, 4), 1), ((5, 0, 15, 10), 0.5), ((9, 9, 9, 9), 0)],
    ids=["inside", "half", "empty"],
)
def test_covered_share_is_of_the_smaller_box(other, expected):
    assert covered_share((0, 0, 10, 10), other) == covered_share(other, (0, 0, 10, 10)) == expected


def test_suppression_drops_what_lies_inside():
    rows = [(0, 0, 100, 100), (40, 60, 60, 80)]
    assert suppress_overlaps(rows, [0.8, 0.9], 0.5) == [1]
    assert suppress_overlaps(rows, [0.9, 0.8], 0.5) == [0]


def test_suppression_keeps_the_best_of_each_group():
    rows = [(0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60), (0, 1, 10, 11)]
    assert suppress_overlaps(rows, [0.7, 0.9, 0.8, 0.6], 0.3) == [1, 2]


def test_suppression_does_not_chain():
    """A box that overlaps only a dropped one stays."""
    rows = [(0, 0, 10, 10), (5, 0, 15, 10), (10, 0, 20, 10)]
    assert suppress_overlaps(rows, [0.9, 0.8, 0.7], 0.3) == [0, 2]


def test_suppression_of_equal_scores_keeps_the_earlier_row():
    assert suppress_overlaps([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.5], 0.3) == [0]
    assert suppress_overlaps([], [], 0.3) == []


@pytest.mark.parametrize(
    ("left_eye", "degrees"), [((20, 10), 0), ((20, 20), 45), ((10, 20), 90), ((20, 0), -45)]
)
def test_roll_is_clockwise_on_the_picture(left_eye, degrees):
    keypoints = np.zeros((1, 6, 2), np.float32)
    keypoints[0, :2] = (10, 10), left_eye
    assert np.degrees(eye_roll(keypoints))[0] == pytest.approx(degrees)


def test_region_of_an_upright_box():
    regions = frame_boxes(boxes((100, 200, 140, 240)), np.zeros(1, np.float32), Framing(1.5, 0.25, -0.1))
    assert regions.dtype == np.float32
    np.testing.assert_allclose(regions, [[130, 216, 60, 0]], rtol=1e-6)


def test_the_shift_turns_with_the_head():
    """A head that lies on its right cheek has its forehead to the right of its eyes."""
    quarter = np.array([np.pi / 2], np.float32)
    regions = frame_boxes(boxes((100, 100, 140, 140)), quarter, Framing(1, 0, -0.5))
    np.testing.assert_allclose(regions[0, :3], [140, 120, 40], rtol=1e-5)


def test_box_of_a_region_is_an_upright_square():
    assert region_box((10, 20, 6, 1)) == (7, 17, 13, 23)


def test_no_face_is_no_region():
    assert frame_boxes(boxes(), np.empty(0, np.float32), Framing(1, 0, 0)).shape == (0, 4)
