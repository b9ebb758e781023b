"""Smoothing of probabilities over time, and a label that does not flicker."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fer_live.config import TrackingConfig


def smooth(
    previous: NDArray[np.float32], current: NDArray[np.float32], elapsed_ms: float, time_constant_ms: float
) -> NDArray[np.float32]:
    """First-order low-pass of probabilities (K,) that honours the real interval between two frames.

    After one time constant a step has moved by 63 %. A time constant of 0 returns current.
    """
    if time_constant_ms <= 0:
        return current
    weight = np.float32(1 - math.exp(-max(0.0, elapsed_ms) / time_constant_ms))
    return previous + weight * (current - previous)


def steady_label(smoothed: NDArray[np.float32], shown: int | None, config: TrackingConfig) -> int | None:
    """Index of the label to show for smoothed probabilities (K,), or None while uncertain.

    A label stays until another leads it by config.hysteresis or it falls under config.uncertain_below; out of
    uncertainty (shown=None) the best must pass that threshold by the same lead.
    """
    best = int(smoothed.argmax())
    if shown is None:
        return best if smoothed[best] >= config.uncertain_below + config.hysteresis else None
    stays = smoothed[shown] >= config.uncertain_below and smoothed[best] < smoothed[shown] + config.hysteresis
    if stays:
        return shown
    return best if smoothed[best] >= config.uncertain_below else None


def first_label(probabilities: NDArray[np.float32], config: TrackingConfig) -> int | None:
    """Index of the best label, or None if it is under config.uncertain_below: for a face without a past."""
    best = int(probabilities.argmax())
    return best if probabilities[best] >= config.uncertain_below else None
