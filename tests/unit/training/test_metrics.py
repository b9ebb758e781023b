from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from training.metrics import (
    calibration,
    expected_calibration_error,
    fit_temperature,
    measure,
    wilson_interval,
)

NAMES = ("angry", "happy", "sad")
# Predicted classes: 0 1 1 2 0 1
PROBABILITIES = np.array(
    [[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8], [0.5, 0.3, 0.2], [0.0, 1.0, 0.0]]
)
LABELS = np.array([0, 1, 0, 2, 2, 1])


def test_wilson_interval_of_the_textbook_case() -> None:
    # Newcombe 1998, table I: 81 of 263 has the interval 0.2553 to 0.3662 (method 3, no continuity correction).
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("correct", "low", "high"), [(0, 0.0, 0.2775), (10, 0.7225, 1.0)])
def test_wilson_interval_stays_a_share_at_the_ends(correct: int, low: float, high: float) -> None:
    assert wilson_interval(correct, 10) == pytest.approx((low, high), abs=5e-5)


def test_ece_by_hand() -> None:
    # Confidences .9 .7 .6 .8 .5 1 lie in six bins of one row each: gaps .1 .3 .6 .2 .5 0.
    assert expected_calibration_error(PROBABILITIES, LABELS) == pytest.approx(1.7 / 6)


def test_ece_averages_within_a_bin_before_taking_the_gap() -> None:
    probabilities = np.array([[0.75, 0.25]] * 4)
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0.0)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below() -> None:
    # 9/15 closes the ninth bin, where .59 lies too: one right and one wrong of about .6 each.
    probabilities = np.array([[0.6, 0.4], [0.59, 0.41]])
    assert expected_calibration_error(probabilities, np.array([0, 1])) == pytest.approx(abs(1.19 - 1) / 2)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_recovered_from_labels_drawn_at_it(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 5))
    chances = softmax(logits / temperature, axis=1).cumsum(axis=1)
    labels = (random.random((len(logits), 1)) > chances).sum(axis=1).clip(max=4)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.05)


def test_calibration_uses_each_half_for_the_other() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 400)
    logits = random.normal(0, 1, (400, 3)) + 2 * np.eye(3)[labels]
    logits[1::2] *= 4
    record = calibration(logits, labels)
    even, odd = record["halves"]
    assert (even["n"], odd["n"]) == (200, 200)
    assert even["temperature_of_other_half"] == fit_temperature(logits[1::2], labels[1::2])
    assert odd["temperature_of_other_half"] == fit_temperature(logits[::2], labels[::2])
    scaled = softmax(logits[::2] / even["temperature_of_other_half"], axis=1)
    assert even["ece"] == expected_calibration_error(scaled, labels[::2])
    assert record["ece_uncalibrated"] == expected_calibration_error(softmax(logits, axis=1), labels)


def test_measure_by_hand() -> None:
    metrics = measure(PROBABILITIES, LABELS, NAMES, None)
    assert metrics["n"] == 6
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["accuracy_ci95"] == pytest.approx(wilson_interval(4, 6))
    # F1 by class: angry 1/2, happy 2*2/(3+2), sad 2*1/(1+2).
    assert metrics["macro_f1"] == pytest.approx((0.5 + 0.8 + 2 / 3) / 3)
    assert metrics["per_class_recall"] == pytest.approx({"angry": 0.5, "happy": 1.0, "sad": 0.5})
    assert metrics["without_training_duplicates"] is None


def test_measure_leaves_repeats_out() -> None:
    repeats = np.array([True, False, False, True, False, False])
    unique = measure(PROBABILITIES, LABELS, NAMES, repeats)["without_training_duplicates"]
    assert (unique["n"], unique["accuracy"]) == (4, 0.5)
    assert set(unique) == {"n", "accuracy", "accuracy_ci95", "macro_f1", "ece"}


def test_measure_of_repeats_alone_says_nothing_about_the_rest() -> None:
    assert measure(PROBABILITIES, LABELS, NAMES, np.ones(6, bool))["without_training_duplicates"] is None


def test_recall_of_a_class_without_rows_is_none() -> None:
    recall = measure(PROBABILITIES[:3], LABELS[:3], NAMES, None)["per_class_recall"]
    assert recall == {"angry": 0.5, "happy": 1.0, "sad": None}
