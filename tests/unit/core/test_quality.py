from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.config import QualityConfig
from fer_live.core.labels import Reason
from fer_live.core.quality import Keypoints, box_side, judge, sharpness, turn
from tests.fakes import faces_at

_RANDOM = np.random.default_rng(0)
_SHARP = _RANDOM.integers(0, 256, (1, 48, 48), dtype=np.uint8)


def _keypoints(nose: float, roll: float = 0.0, half: float = 30.0) -> NDArray[np.float32]:
    """A head whose nose is so many half-distances off the middle between its ears."""
    flat = np.zeros((1, 6, 2), np.float32)
    flat[0, 2], flat[0, 4], flat[0, 5] = (nose * half, 10), (-half, 0), (half, 0)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]], np.float32)
    return flat @ turn + 100


def test_sharpness_of_a_chequered_pattern_by_hand() -> None:
    crop = np.indices((48, 48)).sum(axis=0) % 2 * 20
    # Every Laplacian is 80 off 0, every grey level 10 off the mean.
    assert sharpness(crop.astype(np.uint8)) == pytest.approx(64)


def test_sharpness_is_that_of_its_formula() -> None:
    grey = _SHARP[0].astype(float)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    assert sharpness(_SHARP[0]) == pytest.approx(laplacian.var() / grey.var(), rel=1e-12)


def test_sharpness_falls_with_blur() -> None:
    values = [sharpness(np.asarray(cv2.GaussianBlur(_SHARP[0], (0, 0), sigma), np.uint8)) for sigma in (0.5, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 100 * values[-1]


def test_sharpness_does_not_change_with_contrast_and_light() -> None:
    dark = (_SHARP[0] // 4 + 30).astype(np.uint8)
    assert sharpness(dark) == pytest.approx(sharpness(_SHARP[0]), rel=0.02)


def test_nothing_is_not_sharp() -> None:
    flat = np.full((48, 48), 7, np.uint8)
    assert sharpness(flat) == 0
    flat[10, 10] = 8  # one grey level in one pixel is noise
    assert sharpness(flat) < 0.08


@pytest.mark.parametrize("roll", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("nose", [0.0, 0.5, -1.5])
def test_turn_is_where_the_nose_is_whatever_the_roll(nose: float, roll: float) -> None:
    assert turn(_keypoints(nose, roll)[0].tolist()) == pytest.approx(abs(nose), abs=1e-4)


def test_a_profile_is_turned_far() -> None:
    nowhere: Keypoints = [(0.0, 0.0)] * 6
    assert turn(nowhere) == 0  # without a line between ears there is no turn
    assert turn(_keypoints(20.0, half=1.0)[0].tolist()) == pytest.approx(20, rel=1e-3)


def test_side_is_the_mean_of_both() -> None:
    assert box_side((0, 0, 20, 40)) == 30


@pytest.mark.parametrize(
    ("side", "nose", "is_sharp", "reason"),
    [
        (60, 0.0, True, ""),
        (29, 0.8, True, ""),
        (28, 0.0, True, Reason.TOO_SMALL),
        (60, 0.9, True, Reason.TURNED),
        (60, 0.0, False, Reason.BLURRED),
        (28, 0.9, False, Reason.TOO_SMALL),
        (60, 0.9, False, Reason.TURNED),
    ],
)
def test_first_reason_that_applies(side: float, nose: float, is_sharp: bool, reason: str) -> None:
    config = QualityConfig(min_face_px=29, min_sharpness=0.08, max_turn=0.81)
    faces = replace(faces_at((0, 0, side, side)), keypoints=_keypoints(nose))
    crops = _SHARP if is_sharp else np.asarray(cv2.GaussianBlur(_SHARP[0], (0, 0), 3)[None], np.uint8)
    assert judge(faces, crops, config) == (reason,)


def test_each_face_has_its_own_reason() -> None:
    faces = faces_at((0, 0, 10, 10), (0, 0, 60, 60))
    crops = np.concatenate([_SHARP, np.zeros_like(_SHARP)])
    assert judge(faces, crops, QualityConfig()) == (Reason.TOO_SMALL, Reason.BLURRED)


def test_no_faces() -> None:
    assert judge(faces_at(), np.empty((0, 48, 48), np.uint8), QualityConfig()) == ()


def test_everything_counts_if_asked() -> None:
    config = QualityConfig(min_face_px=0, min_sharpness=0, max_turn=10)
    assert judge(faces_at((0, 0, 1, 1)), np.zeros((1, 48, 48), np.uint8), config) == ("",)
