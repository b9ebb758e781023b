"""What is tried before a long run: one batch of everything, and whether a network can learn at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fer_live.errors import TrainingError
from training.config import FitConfig
from training.dataset import Fer2013, Split
from training.layouts import SPEC, TRAINING, VALIDATION
from training.loop import predict_logits, train_one_epoch
from training.runs import start_or_resume
from training.train import material_of
from training.votes import FOLDS

_DRY_RUN_VALIDATION = 64
_OVERFIT_EPOCHS = 100
_BY_HEART = 0.99
"""A few faces of FER2013 may be there twice, with two labels."""


def few_rows(config: FitConfig, data: Fer2013) -> Fer2013:
    """One batch of training rows and some validation rows, with every label in each fold of `opinion_of_voters`."""
    counts = {TRAINING: config.batch_size, VALIDATION: _DRY_RUN_VALIDATION}
    splits = {usage: _spread(data, usage, count, of_class=FOLDS) for usage, count in counts.items()}
    return Fer2013(splits, data.validation_made)


def _spread(data: Fer2013, usage: str, count: int, of_class: int = 1) -> Split:
    """Count to two times count rows of a usage (all, if it has fewer), and the first ones of each of its classes."""
    rows = data.split(usage)
    first = [np.flatnonzero(rows.labels == label)[:of_class] for label in np.unique(rows.labels)]
    return rows.chosen(np.unique(np.concatenate([*first, np.arange(0, len(rows), max(1, len(rows) // count))])))


def overfit(config: FitConfig, data: Fer2013, count: int) -> None:
    """Has a network learn about so many faces by heart, as they are; keeps nothing.

    A network that cannot do that in 100 epochs will not learn all of FER2013: something is wrong with it, or with the
    learning rate. Raises TrainingError then, and what train_one_epoch raises.
    """
    faces = _spread(data, TRAINING, count)
    changes = {"augmentation": False, "label_smoothing": 0.0, "weight_decay": 0.0, "epochs": _OVERFIT_EPOCHS}
    short = config.model_copy(update=changes | {"batch_size": min(config.batch_size, len(faces))})
    with tempfile.TemporaryDirectory() as folder:
        learner, _ = start_or_resume(short, Path(folder))
    material = material_of(faces, faces.labels, learner)
    share = 0.0
    with tqdm(range(_OVERFIT_EPOCHS), unit=" epochs") as bar:
        for epoch in bar:
            train_one_epoch(learner, material, epoch)
            called = predict_logits(learner.network, faces.images, SPEC).argmax(axis=1)
            share = float((called == faces.labels).mean())
            bar.set_postfix_str(f"{share:.0%} by heart")
            if share >= _BY_HEART:
                break
    if share < _BY_HEART:
        raise TrainingError(
            f"{config.model} learnt only {share:.0%} of {len(faces)} faces by heart in {_OVERFIT_EPOCHS} epochs.",
            "Try another --learning-rate; if that does not help, the network cannot learn.",
        )
    tqdm.write(f"{config.model} knows {share:.0%} of {len(faces)} faces by heart after {epoch + 1} epochs")
