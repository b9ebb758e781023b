"""What a network typically says of a neutral face, for the neutral baseline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_live.core.baseline import log_probabilities
from fer_live.core.modelcard import FER2013_LABELS
from training.dataset import Split
from training.prediction import fer2013_card, predict


def neutral_logits(weights: Path, rows: Split) -> tuple[float, ...]:
    """Mean logarithms of the probabilities over the rows labelled neutral, of which there must be one, in the order of
    the card's labels. Raises what `predict` raises."""
    card = fer2013_card(weights)
    crops = rows.images[rows.labels == FER2013_LABELS.index("neutral")]
    means = log_probabilities(predict(weights, card, crops)).mean(axis=0, dtype=np.float64)
    return tuple(float(means[FER2013_LABELS.index(label)]) for label in card.labels)
