from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from fer_live.core.baseline import MIN_FRAMES, baseline_offset, log_probabilities, shifted
from fer_live.errors import BaselineError

_REFERENCE = tuple(log_softmax([0.5, -1.0, 2.0]).tolist())
_RESTING = np.array([0.7, 0.1, 0.2], np.float32)


def test_a_resting_face_then_looks_like_the_typical_neutral_one() -> None:
    offset = baseline_offset([_RESTING] * MIN_FRAMES, _REFERENCE)
    np.testing.assert_allclose(shifted(_RESTING, offset), softmax(_REFERENCE), rtol=1e-5)


def test_offset_is_the_reference_minus_the_mean_of_the_logarithms() -> None:
    other = np.array([0.2, 0.7, 0.1], np.float32)
    offset = baseline_offset([_RESTING, other] * MIN_FRAMES, _REFERENCE)
    mean = (np.log(_RESTING) + np.log(other)) / 2
    np.testing.assert_allclose(offset, np.array(_REFERENCE) - mean, rtol=1e-5)


def test_an_offset_keeps_the_odds_between_two_looks() -> None:
    look = np.array([0.1, 0.6, 0.3], np.float32)
    offset = (1.0, -2.0, 0.5)
    before = np.log(look) - np.log(_RESTING)
    after = np.log(shifted(look, offset)) - np.log(shifted(_RESTING, offset))
    np.testing.assert_allclose(before - before[0], after - after[0], atol=1e-5)
    assert shifted(look, offset).sum() == pytest.approx(1)
    assert shifted(look, offset).dtype == np.float32


def test_without_an_offset_nothing_changes() -> None:
    assert shifted(_RESTING, None) is _RESTING


def test_probabilities_of_zero_stay_finite() -> None:
    sure = np.array([1, 0, 0], np.float32)
    assert np.isfinite(log_probabilities(sure)).all()
    offset = baseline_offset([sure] * MIN_FRAMES, _REFERENCE)
    np.testing.assert_allclose(shifted(sure, offset), softmax(_REFERENCE), rtol=1e-4)


@pytest.mark.parametrize("count", [0, MIN_FRAMES - 1])
def test_too_few_looks_say_what_to_do(count: int) -> None:
    with pytest.raises(BaselineError, match=rf"in {count} frames, and 15 are needed\. Face the camera"):
        baseline_offset([_RESTING] * count, _REFERENCE)
