"""What a weights file answers for crops: .onnx through the code of live use, .safetensors through torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm import tqdm

from fer_live.backends.registry import open_backend
from fer_live.core.modelcard import FER2013_LABELS, ModelCard, load_verified_card
from fer_live.core.preprocess import to_batch
from fer_live.errors import ModelError
from training.layouts import SPEC
from training.loop import predict_logits
from training.networks import build
from training.tta import VIEWS
from training.weights import load_weights


def fer2013_card(weights: Path) -> ModelCard:
    """The verified card of a weights file; raises ModelError if it is not for FER2013's labels and crops."""
    card = load_verified_card(weights)
    if set(card.labels) != set(FER2013_LABELS) or card.input != SPEC:
        raise ModelError(
            f"'{weights}' is not for the labels and crop size of FER2013.", "Choose other weights."
        )
    return card


def predict(weights: Path, card: ModelCard, crops: NDArray[np.uint8], tta: str = "none") -> NDArray[np.float32]:
    """Probabilities float32 (N, 7), columns in the order of FER2013's codes, of crops uint8 (N, 48, 48), N >= 1.

    card: what `fer2013_card` gives for the weights. tta: a name of VIEWS; the mean over its views is returned.
    Raises ModelError for weights that cannot be used.
    """
    views = VIEWS[tta](crops)
    stacked = np.concatenate(views)
    if weights.suffix == ".onnx":
        probabilities = _predict_live(weights, stacked)
    elif weights.suffix == ".safetensors":
        probabilities = _predict_torch(weights, card, stacked)
    else:
        raise ModelError(f"'{weights}' ends neither in .onnx nor in .safetensors.", "Give one of the two.")
    # Labels of rows are FER2013's codes; columns of probabilities follow the card.
    columns = [card.labels.index(label) for label in FER2013_LABELS]
    return np.asarray(probabilities.reshape(len(views), len(crops), -1).mean(axis=0)[:, columns], np.float32)


def cards_of_ensemble(weights: Sequence[Path]) -> list[ModelCard]:
    """`fer2013_card` of each of one or more files; raises ModelError, naming two, if their label orders differ."""
    cards = [fer2013_card(path) for path in weights]
    for path, card in zip(weights, cards, strict=True):
        if card.labels != cards[0].labels:
            raise ModelError(
                f"'{weights[0]}' and '{path}' have their labels in different orders: {', '.join(cards[0].labels)}, "
                f"and {', '.join(card.labels)}.",
                "Choose networks with one order.",
            )
    return cards


def predict_mean(
    weights: Sequence[Path], cards: Sequence[ModelCard], crops: NDArray[np.uint8], tta: str = "none"
) -> NDArray[np.float32]:
    """The mean of what `predict` gives for each weights file, all of equal weight; cards: of `cards_of_ensemble`."""
    answers = [predict(path, card, crops, tta) for path, card in zip(weights, cards, strict=True)]
    return np.asarray(np.mean(answers, axis=0, dtype=np.float64), np.float32)


def _predict_live(weights: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    with open_backend("onnx-cpu", weights) as backend:
        starts = range(0, len(crops), backend.max_batch)
        parts = [
            backend.infer(to_batch(crops[start : start + backend.max_batch], backend.card.input))
            for start in tqdm(starts, desc="Evaluating", unit=" batches", leave=False)
        ]
    return np.concatenate(parts)


def _predict_torch(weights: Path, card: ModelCard, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    network = build(card.name, len(card.labels))
    load_weights(network, card.name, weights)
    logits = predict_logits(network, crops, card.input)
    return np.asarray(softmax(logits / card.temperature, axis=1), np.float32)
