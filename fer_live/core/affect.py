"""Valence and arousal as projections of the probabilities: docs/affect.md says what they are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_live.core.structs import Affect
from fer_live.errors import ConfigError

COORDINATES = {
    "angry": Affect(-0.51, 0.59),
    "disgust": Affect(-0.60, 0.35),
    "fear": Affect(-0.64, 0.60),
    "happy": Affect(0.81, 0.51),
    "sad": Affect(-0.63, -0.27),
    "surprise": Affect(0.40, 0.67),
    "neutral": Affect(0.0, 0.0),
}
"""Mean ratings of pleasure and arousal of the words angry, disgusted, fearful, happy, sad and surprised, scaled to
[-1, 1]: Russell & Mehrabian 1977, 'Evidence for a three-factor theory of emotions', J. Res. Pers. 11, 273-294,
doi 10.1016/0092-6566(77)90037-X. Neutral is the middle by definition; it was not rated."""


def affect_axes(labels: tuple[str, ...]) -> NDArray[np.float32]:
    """Coordinates of labels, float32 (K, 2): valence, arousal. Raises ConfigError for a label that has none."""
    unknown = [label for label in labels if label not in COORDINATES]
    if unknown:
        raise ConfigError(
            f"Setting 'affect' is on, but the network's label '{unknown[0]}' has no valence and arousal.",
            "Switch it off, or choose a network with the labels of FER2013.",
        )
    return np.array([COORDINATES[label] for label in labels], np.float32)


def project(probabilities: NDArray[np.float32], axes: NDArray[np.float32]) -> Affect:
    """The mean of the labels' coordinates (K, 2), weighted by probabilities (K,)."""
    return Affect(*(float(value) for value in probabilities @ axes))
