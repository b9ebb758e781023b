from __future__ import annotations

import math

import numpy as np
import pytest

from fer_live.config import TrackingConfig
from fer_live.core.smoothing import first_label, smooth, steady_label

CONFIG = TrackingConfig(uncertain_below=0.4, hysteresis=0.1)
_BEFORE, _AFTER = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def _probabilities(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_one_time_constant_moves_by_63_percent() -> None:
    np.testing.assert_allclose(smooth(_BEFORE, _AFTER, 300, 300), [1 / math.e, 1 - 1 / math.e], rtol=1e-6)


def test_real_intervals_count_not_frames() -> None:
    halfway = smooth(_BEFORE, _AFTER, 100, 300)
    np.testing.assert_allclose(smooth(halfway, _AFTER, 200, 300), smooth(_BEFORE, _AFTER, 300, 300), rtol=1e-6)


def test_no_time_constant_is_no_smoothing() -> None:
    assert smooth(_BEFORE, _AFTER, 1, 0) is _AFTER


@pytest.mark.parametrize("elapsed_ms", [0, -5])
def test_without_elapsed_time_nothing_moves(elapsed_ms: float) -> None:
    np.testing.assert_array_equal(smooth(_BEFORE, _AFTER, elapsed_ms, 300), _BEFORE)


def test_rows_still_sum_to_one_in_float32() -> None:
    smoothed = smooth(_probabilities(0.2, 0.3, 0.5), _probabilities(0.6, 0.1, 0.3), 33, 300)
    assert smoothed.dtype == np.float32
    assert smoothed.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("smoothed", "shown", "expected"),
    [
        ((0.5, 0.45, 0.05), 1, 1),  # another leads, but by too little
        ((0.55, 0.44, 0.01), 1, 0),  # and now by enough
        ((0.41, 0.3, 0.29), 0, 0),  # still over the threshold
        ((0.39, 0.31, 0.3), 0, None),  # fell under it
        ((0.3, 0.45, 0.25), 0, 1),  # fell under it while another is over it
        ((0.45, 0.3, 0.25), None, None),  # over it, but not by the lead that ends uncertainty
        ((0.51, 0.3, 0.19), None, 0),
    ],
)
def test_label_changes_only_for_a_reason(smoothed: tuple[float, ...], shown: int | None, expected: int | None) -> None:
    assert steady_label(_probabilities(*smoothed), shown, CONFIG) == expected


def test_first_label_needs_no_lead() -> None:
    assert first_label(_probabilities(0.41, 0.3, 0.29), CONFIG) == 0
    assert first_label(_probabilities(0.39, 0.31, 0.3), CONFIG) is None
