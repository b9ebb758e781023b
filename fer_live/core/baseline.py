"""The neutral baseline: what a face looks like at rest, taken off what is read from it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.errors import BaselineError

LOOK_S = 3.0
"""How long a person looks neutral."""

MIN_FRAMES = 15
"""Frames of good quality that a baseline needs: 5 a second."""

_LEAST_PROBABILITY = 1e-6
"""Keeps the logarithm finite where float32 probabilities have become 0."""


@dataclass(frozen=True)
class Baseline:
    """What is added to the logits of one face from a moment on.

    at: capture time from which it counts, s, on the clock of Frame.captured_at. offset: (K,), or None where a
    baseline was removed.
    """

    face_id: int
    at: float
    offset: tuple[float, ...] | None


def log_probabilities(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithms, of probabilities of any shape: logits, but for a constant a face."""
    logs: NDArray[np.float32] = np.log(np.maximum(probabilities, np.float32(_LEAST_PROBABILITY)))
    return logs


def baseline_offset(
    looks: Sequence[NDArray[np.float32]], neutral_logits: Sequence[float]
) -> tuple[float, ...]:
    """What moves a face's mean look onto the network's typical neutral face: reference minus mean, (K,).

    looks: probabilities (K,) of frames at rest. neutral_logits: ModelCard.neutral_logits.
    Raises BaselineError if there are fewer than MIN_FRAMES looks.
    """
    if len(looks) < MIN_FRAMES:
        raise BaselineError(
            f"No neutral baseline: the face was seen well in {len(looks)} frames, and {MIN_FRAMES} are needed.",
            "Face the camera, in good light and near enough, and try again.",
        )
    mean = log_probabilities(np.stack(looks)).mean(axis=0, dtype=np.float64)
    return tuple((np.array(neutral_logits) - mean).tolist())


def shifted(probabilities: NDArray[np.float32], offset: tuple[float, ...] | None) -> NDArray[np.float32]:
    """Probabilities (K,) with an offset added to their logits; the same if there is none."""
    if offset is None:
        return probabilities
    logits = log_probabilities(probabilities) + np.array(offset, np.float32)
    likelihoods = np.exp(logits - logits.max())
    corrected: NDArray[np.float32] = likelihoods / likelihoods.sum()
    return corrected
