"""What is measured of a network: accuracy, macro-F1, recall, calibration. All shares are fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics import f1_score

_Z95 = 1.959963984540054
_BINS = 15
_TEMPERATURES = (0.05, 20.0)


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike the normal one it stays within [0, 1]."""
    share, spread = correct / count, _Z95**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = _Z95 * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def expected_calibration_error(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean gap between confidence and accuracy over 15 equally wide bins (Guo et al. 2017, arXiv 1706.04599).

    probabilities: (N, K), N >= 1; labels: int64 (N,) in [0, K).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    # In each bin |sum of confidence - number correct| is the bin's gap times its size.
    gaps = np.bincount(bins, weights=confidence - correct, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The divisor in [0.05, 20] of logits (N, K) that gives the labels the least negative log-likelihood."""

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / math.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(labels)), labels].mean())

    low, high = (math.log(limit) for limit in _TEMPERATURES)
    return math.exp(float(minimize_scalar(loss, bounds=(low, high), method="bounded").x))


def calibration(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, Any]:
    """How well a fitted temperature calibrates rows that it was not fitted on. logits: (N, K), N >= 2.

    Even and odd rows are the two halves: ECE on each with the temperature of the other, and ECE of all at 1.
    """
    halves = (slice(0, None, 2), slice(1, None, 2))
    temperatures = [fit_temperature(logits[half], labels[half]) for half in halves]
    return {
        "ece_uncalibrated": expected_calibration_error(softmax(logits, axis=1), labels),
        "halves": [
            {
                "n": len(labels[half]),
                "temperature_of_other_half": other,
                "ece": expected_calibration_error(softmax(logits[half] / other, axis=1), labels[half]),
            }
            for half, other in zip(halves, reversed(temperatures), strict=True)
        ],
    }


def _overall(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> dict[str, Any]:
    predicted = probabilities.argmax(axis=1)
    correct = int((predicted == labels).sum())
    return {
        "n": len(labels),
        "accuracy": correct / len(labels),
        "accuracy_ci95": list(wilson_interval(correct, len(labels))),
        "macro_f1": float(f1_score(labels, predicted, average="macro", zero_division=0.0)),
        "ece": expected_calibration_error(probabilities, labels),
    }


def _recall(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, float | None]:
    hit = probabilities.argmax(axis=1) == labels
    hits = [hit[labels == code] for code in range(len(names))]
    return {name: float(rows.mean()) if len(rows) else None for name, rows in zip(names, hits, strict=True)}


def measure(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    names: Sequence[str],
    repeats: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """The metrics of N >= 1 rows, as model cards hold them and `training.evaluate` prints them.

    probabilities: (N, K) in the order of names; labels: int64 (N,). Recall of a class without rows is None.
    repeats: bool (N,), rows whose pixels are also in Training, or None if that is unknown or means nothing;
    `without_training_duplicates` is None then, and if no row is left.
    """
    metrics = _overall(probabilities, labels)
    metrics["per_class_recall"] = _recall(probabilities, labels, names)
    kept = np.zeros(len(labels), bool) if repeats is None else ~repeats
    unique = _overall(probabilities[kept], labels[kept]) if kept.any() else None
    return metrics | {"without_training_duplicates": unique}
