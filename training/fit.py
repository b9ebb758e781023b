"""Trains a network on FER2013 and puts its weights in place: `python -m training.fit`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from fer_live.console import exit_code
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import TrainingError
from training import checkpoint
from training.checkpoint import Progress
from training.config import RECIPES, FitConfig, recipe
from training.dataset import SPEC, TRAINING, VALIDATION, Fer2013, Split, load_fer2013
from training.loop import (
    Learner,
    fastest_precision,
    make_learner,
    predict_logits,
    steps_per_epoch,
    train_one_epoch,
)
from training.networks import build

_STEPS_TO_ESTIMATE = 20


def train(config: FitConfig, data: Fer2013, run: Path) -> tuple[Learner, Progress]:
    """Trains to the end of a run, from its checkpoint if there is one, with one checkpoint an epoch."""
    learner, progress = start_or_resume(config, run)
    rows = data.split(TRAINING)
    images, labels = torch.from_numpy(rows.images)[:, None], torch.from_numpy(rows.labels)
    steps = steps_per_epoch(len(rows), config.batch_size)
    while not progress.is_finished(learner.config):
        started = time.perf_counter()
        left = learner.config.epochs - progress.epochs_done
        with tqdm(total=steps, desc=f"Epoch {progress.epochs_done + 1}/{config.epochs}", unit=" steps") as bar:
            loss = train_one_epoch(
                learner, images, labels, progress.epochs_done, on_step=_Ticker(bar, left, progress.epochs_done)
            )
        accuracy = validation_accuracy(learner, data.split(VALIDATION))
        progress.record(loss, accuracy, time.perf_counter() - started, learner.average.module.state_dict())
        checkpoint.save_checkpoint(run, learner, progress)
        tqdm.write(f"epoch {progress.epochs_done}: loss {loss:.4f}, validation accuracy {accuracy:.4f}")
    return learner, progress


class _Ticker:
    """Moves the bar; after the first steps of a session it says once how long the run will take."""

    def __init__(self, bar: tqdm[None], epochs_left: int, epochs_done: int) -> None:
        self._bar, self._epochs_left, self._first = bar, epochs_left, epochs_done

    def __call__(self, step: int) -> None:
        self._bar.update()
        if step + 1 == _STEPS_TO_ESTIMATE:
            seconds = self._bar.format_dict["elapsed"] / _STEPS_TO_ESTIMATE * self._bar.total * self._epochs_left
            tqdm.write(f"expected duration: {seconds / 60:.0f} min for {self._epochs_left} epochs")


def start_or_resume(config: FitConfig, run: Path) -> tuple[Learner, Progress]:
    """A learner at step 0, or at the checkpoint of a run that was made with the same config."""
    saved = checkpoint.saved_config(run)
    if saved is not None:
        asked = config if config.precision != "auto" else config.model_copy(update={"precision": saved.precision})
        if saved != asked:
            different = [key for key in FitConfig.model_fields if getattr(saved, key) != getattr(asked, key)]
            raise TrainingError(
                f"The run in '{run}' was made with other settings ({', '.join(different)}).",
                "Choose another --run, or delete that folder.",
            )
        config = saved
    torch.manual_seed(config.seed)
    network = build(config.model, len(FER2013_LABELS))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if config.precision == "auto":
        config = config.model_copy(update={"precision": fastest_precision(config, device)})
    learner = make_learner(network, config, device)
    if saved is None:
        return learner, Progress()
    return learner, checkpoint.load_checkpoint(run, learner)


def validation_accuracy(learner: Learner, rows: Split) -> float:
    """Share of rows that the averaged weights label as the data set does."""
    logits = predict_logits(learner.average.module, rows.images, SPEC)
    return float((logits.argmax(axis=1) == rows.labels).mean())
