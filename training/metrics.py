"""What is measured of a network: accuracy, macro-F1, figures by class, calibration. All shares are fractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, rel_entr, softmax
from sklearn.metrics import confusion_matrix

_Z95 = 1.959963984540054
_BINS = 15
_TEMPERATURES = (0.05, 20.0)
_RESAMPLES = 2000


def wilson_interval(correct: int, count: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike the normal one it stays within [0, 1]."""
    share, spread = correct / count, _Z95**2 / count
    centre = (share + spread / 2) / (1 + spread)
    half = _Z95 * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    # Rounding may put an end that is 0 or 1 just beside the share.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


@dataclass(frozen=True)
class ReliabilityBins:
    """Rows by confidence in 15 equally wide bins, each without its lower edge. All arrays are (15,).

    counts: rows; confidences, hits: sum of confidence and number of right rows.
    """

    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    hits: NDArray[np.int64]


def reliability_bins(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> ReliabilityBins:
    """How often rows of a confidence are right. probabilities: (N, K); labels: int64 (N,) in [0, K)."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    return ReliabilityBins(
        np.bincount(bins, minlength=_BINS),
        np.asarray(np.bincount(bins, weights=confidence, minlength=_BINS), np.float64),
        np.bincount(bins[correct], minlength=_BINS),
    )


def expected_calibration_error(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Mean gap between confidence and accuracy over 15 equally wide bins (Guo et al. 2017, arXiv 1706.04599).

    probabilities: (N, K), N >= 1; labels: int64 (N,) in [0, K).
    """
    bins = reliability_bins(probabilities, labels)
    # In each bin |sum of confidence - number correct| is the bin's gap times its size.
    return float(np.abs(bins.confidences - bins.hits).sum() / len(labels))


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


def _class_figures(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Precision, recall and F1, float64 (..., 3, K), of confusion matrices (..., K, K); 0 where 0 is divided by 0."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    called, support = confusion.sum(axis=-2), confusion.sum(axis=-1)
    pairs = ((right, called), (right, support), (2 * right, called + support))
    return np.stack([part / np.maximum(whole, 1) for part, whole in pairs], axis=-2)


def _macro_f1_interval(confusion: NDArray[np.int64]) -> list[float]:
    """95 % interval of macro-F1: percentiles over rows drawn anew (Efron 1979), always with the same seed."""
    count = int(confusion.sum())
    # To draw rows with replacement is to draw cells of the matrix by their share.
    drawn = np.random.default_rng(0).multinomial(count, confusion.ravel() / count, _RESAMPLES)
    f1 = _class_figures(drawn.reshape(-1, *confusion.shape))[:, 2]
    return [float(limit) for limit in np.percentile(f1[:, _met(confusion)].mean(axis=1), (2.5, 97.5))]


def _met(confusion: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (K,): classes that some row has or is called; averages leave the others out."""
    return np.asarray(confusion.sum(axis=0) + confusion.sum(axis=1) > 0)


def _figures(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, Any]:
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(len(names)))
    figures, support, met = _class_figures(confusion), confusion.sum(axis=1), _met(confusion)
    correct, keys = int(confusion.trace()), ("precision", "recall", "f1")
    macro = dict(zip(keys, figures[:, met].mean(axis=1).tolist(), strict=True))
    return {
        "n": len(labels),
        "accuracy": correct / len(labels),
        "accuracy_ci95": list(wilson_interval(correct, len(labels))),
        "macro_f1": macro["f1"],
        "macro_f1_ci95": _macro_f1_interval(confusion),
        "ece": expected_calibration_error(probabilities, labels),
        "per_class": {
            name: dict(zip(keys, figures[:, code].tolist(), strict=True)) | {"support": int(support[code])}
            for code, name in enumerate(names)
        },
        "averages": {
            "macro": macro,
            "weighted": dict(zip(keys, (figures @ support / support.sum()).tolist(), strict=True)),
        },
        "confusion_matrix": {"labels": list(names), "counts": confusion.tolist()},
    }


def measure(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.int64],
    names: Sequence[str],
    repeats: NDArray[np.bool_] | None,
) -> dict[str, Any]:
    """The metrics of N >= 1 rows, as model cards hold them and `training.evaluate` prints them.

    probabilities: (N, K) in the order of names; labels: int64 (N,). Recall of a class without rows is None in
    `per_class_recall` and 0 in `per_class`, beside its support of 0. A row of
    `confusion_matrix` is a label, a column a call.
    repeats: bool (N,), rows whose pixels are also in Training, or None if that is unknown or means nothing;
    `without_training_duplicates` is None then, and if no row is left.
    """
    metrics = _figures(probabilities, labels, names)
    recall = {name: row["recall"] if row["support"] else None for name, row in metrics["per_class"].items()}
    kept = np.zeros(len(labels), bool) if repeats is None else ~repeats
    unique = _figures(probabilities[kept], labels[kept], names) if kept.any() else None
    return metrics | {"per_class_recall": recall, "without_training_duplicates": unique}


def differences(
    exact: NDArray[np.floating], other: NDArray[np.floating], labels: NDArray[np.int64]
) -> dict[str, float | int]:
    """How far the probabilities (N, K) that a network gives in another precision are from its float32 ones.

    labels: int64 (N,) in [0, K). Returns the number of faces n, the largest_difference of a probability, the share of
    faces with the same_label, and the accuracy_difference (other minus exact).
    """
    exact_labels, other_labels = exact.argmax(axis=1), other.argmax(axis=1)
    return {
        "n": len(labels),
        "largest_difference": float(np.abs(other - exact).max()),
        "same_label": float((exact_labels == other_labels).mean()),
        "accuracy_difference": float((other_labels == labels).mean() - (exact_labels == labels).mean()),
    }


def divergence(exact: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Mean Kullback-Leibler divergence of probabilities (N, K) from exact ones, in nats."""
    return float(rel_entr(exact, np.maximum(other, np.finfo(np.float32).tiny)).sum(axis=1).mean())
