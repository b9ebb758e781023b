from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from training.metrics import (
    calibration,
    differences,
    divergence,
    expected_calibration_error,
    fit_temperature,
    measure,
    reliability_bins,
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


def test_the_interval_of_every_share_holds_it() -> None:
    for count in range(1, 200):
        for correct in (0, 1, count // 3, count - 1, count):
            low, high = wilson_interval(correct, count)
            assert 0 <= low <= correct / count <= high <= 1, (correct, count)


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


def test_reliability_bins_by_hand() -> None:
    bins = reliability_bins(PROBABILITIES, LABELS)
    # Bins of 1/15: .5 is in the 8th, .6 in the 9th, .7 .8 .9 in the 11th, 12th, 14th, and 1 in the last.
    filled = np.array([7, 8, 10, 11, 13, 14])
    assert np.flatnonzero(bins.counts).tolist() == filled.tolist()
    assert bins.confidences[filled] == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert bins.hits[filled].tolist() == [0, 0, 1, 1, 1, 1]


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
    assert {"accuracy_ci95", "macro_f1", "macro_f1_ci95", "ece", "per_class", "averages"} <= set(unique)
    assert unique["confusion_matrix"]["counts"] == [[0, 1, 0], [0, 2, 0], [1, 0, 0]]


def test_measure_of_repeats_alone_says_nothing_about_the_rest() -> None:
    assert measure(PROBABILITIES, LABELS, NAMES, np.ones(6, bool))["without_training_duplicates"] is None


def test_recall_of_a_class_without_rows_is_none() -> None:
    recall = measure(PROBABILITIES[:3], LABELS[:3], NAMES, None)["per_class_recall"]
    assert recall == {"angry": 0.5, "happy": 1.0, "sad": None}


def test_figures_by_class_by_hand() -> None:
    metrics = measure(PROBABILITIES, LABELS, NAMES, None)
    assert metrics["confusion_matrix"] == {"labels": list(NAMES), "counts": [[1, 1, 0], [0, 2, 0], [1, 0, 1]]}
    by_class = metrics["per_class"]
    assert by_class["angry"] == pytest.approx({"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2})
    assert by_class["happy"] == pytest.approx({"precision": 2 / 3, "recall": 1.0, "f1": 4 / 5, "support": 2})
    assert by_class["sad"] == pytest.approx({"precision": 1.0, "recall": 1 / 2, "f1": 2 / 3, "support": 2})


def test_weighted_averages_count_faces_and_macro_ones_classes() -> None:
    labels = np.array([0, 1, 0, 2, 0, 0])
    averages = measure(PROBABILITIES, labels, NAMES, None)["averages"]
    # Recall: angry 2 of 4, happy 1 of 1, sad 1 of 1.
    assert averages["weighted"]["recall"] == pytest.approx((4 * 0.5 + 1 + 1) / 6)
    assert averages["macro"]["recall"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_a_class_that_no_row_has_or_is_called_does_not_lower_the_macro_mean() -> None:
    metrics = measure(PROBABILITIES[:3], LABELS[:3], NAMES, None)
    assert metrics["per_class"]["sad"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert metrics["averages"]["macro"]["f1"] == pytest.approx(metrics["macro_f1"])


def test_interval_of_macro_f1_narrows_with_rows() -> None:
    low, high = measure(PROBABILITIES, LABELS, NAMES, None)["macro_f1_ci95"]
    many = measure(np.tile(PROBABILITIES, (100, 1)), np.tile(LABELS, 100), NAMES, None)
    assert low < many["macro_f1_ci95"][0] < many["macro_f1"] < many["macro_f1_ci95"][1] < high
    # The standard error of a mean of 600 rows is about 2 %, so four of them are about 8 %.
    assert 0.04 < many["macro_f1_ci95"][1] - many["macro_f1_ci95"][0] < 0.12


def test_differences_by_hand() -> None:
    exact = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.3, 0.7]])
    other = np.array([[0.8, 0.2], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]])
    assert differences(exact, other, np.array([0, 0, 1, 0])) == pytest.approx(
        {"n": 4, "largest_difference": 0.2, "same_label": 0.75, "accuracy_difference": -0.25}
    )


def test_divergence_by_hand() -> None:
    exact, other = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.25, 0.75], [1.0, 0.0]])
    by_hand = 0.5 * np.log(0.5 / 0.25) + 0.5 * np.log(0.5 / 0.75)
    assert divergence(exact, other) == pytest.approx(by_hand / 2)
    assert divergence(exact, exact) == 0
    assert 10 < divergence(exact, other[::-1]) < np.inf
