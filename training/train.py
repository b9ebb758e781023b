"""A run from its first or next epoch to its last, with a checkpoint and a picture of it after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.core.modelcard import FER2013_LABELS
from training import checkpoint
from training.checkpoint import Progress
from training.config import FitConfig
from training.crew import ALONE, Crew
from training.curves import save_curves
from training.dataset import Fer2013, Split
from training.layouts import SPEC, TRAINING, VALIDATION
from training.loop import Learner, Material, predict_logits, steps_per_epoch, train_one_epoch
from training.runs import start_or_resume
from training.schedule import learning_rate_at
from training.teacher import taught_targets
from training.track import NO_TRACKER, Tracker

_STEPS_TO_ESTIMATE = 20


def train(
    config: FitConfig,
    data: Fer2013,
    run: Path,
    init: Path | None = None,
    teacher: Path | None = None,
    tracker: Tracker = NO_TRACKER,
    crew: Crew = ALONE,
) -> tuple[Learner, Progress]:
    """Trains to the end of a run, from its checkpoint if there is one, with one checkpoint an epoch.

    Raises what start_or_resume, taught_targets and train_one_epoch raise, and TrainingError for what cannot be written.
    """
    learner, progress = start_or_resume(config, run, init, crew)
    rows = data.split(TRAINING)
    with crew.leader_first():
        is_taught = teacher is not None or rows.votes is not None
        targets = taught_targets(rows, teacher, config, run) if is_taught else rows.labels
    material = material_of(rows, targets, learner)
    steps = steps_per_epoch(len(rows), config.batch_size)
    steps_to_announce = _STEPS_TO_ESTIMATE
    while not progress.is_finished(learner.config):
        started = time.perf_counter()
        left, accuracies = config.epochs - progress.epochs_done, [past["accuracy"] for past in progress.history]
        title = f"Epoch {progress.epochs_done + 1}/{config.epochs}"
        with tqdm(total=steps, desc=title, unit=" steps", disable=not crew.is_leader) as bar:
            on_step = _ticker(bar, left, steps_to_announce)
            loss = train_one_epoch(learner, material, progress.epochs_done, on_step, accuracies)
        called = _validate(learner, data.split(VALIDATION))
        accuracy = crew.share(float((called == data.split(VALIDATION).labels).mean()))
        last_rate = learning_rate_at((progress.epochs_done + 1) * steps - 1, steps, config, accuracies)
        progress.record(loss, accuracy, time.perf_counter() - started, learner.average.module.state_dict())
        if crew.is_leader:
            checkpoint.save_checkpoint(run, learner, progress)
            save_curves(run, progress.history, data.split(VALIDATION).labels, called)
            tracker.log(
                progress.epochs_done, {"loss": loss, "validation_accuracy": accuracy, "learning_rate": last_rate}
            )
            tqdm.write(f"epoch {progress.epochs_done}: loss {loss:.4f}, validation accuracy {accuracy:.4f}")
        steps_to_announce = 0
    return learner, progress


def material_of(rows: Split, targets: NDArray[np.int64] | NDArray[np.float32], learner: Learner) -> Material:
    """Rows and their targets (see Material) on the learner's device.

    Rare labels weigh N / (K * rows of the label), as in King & Zeng 2001 and scikit-learn's 'balanced'.
    """
    device, config = learner.device, learner.config
    weights = len(rows) / (len(FER2013_LABELS) * np.bincount(rows.labels, minlength=len(FER2013_LABELS)))
    by_label = torch.from_numpy(weights.astype(np.float32)).to(device)
    return Material(
        torch.from_numpy(rows.images)[:, None].to(device),
        torch.from_numpy(targets).to(device),
        by_label if config.class_weights else None,
        by_label[torch.from_numpy(rows.labels).to(device)] if config.balanced_sampling else None,
    )


def _validate(learner: Learner, rows: Split) -> NDArray[np.int64]:
    """What the averaged weights call each row, int64 (N,); in a crew the leader alone looks."""
    if not learner.crew.is_leader:
        return np.full(len(rows), -1)
    called: NDArray[np.int64] = predict_logits(learner.average.module, rows.images, SPEC).argmax(axis=1)
    return called


def _ticker(bar: tqdm[None], epochs_left: int, steps_to_announce: int) -> Callable[[int], None]:
    """Moves the bar; after so many steps it says once how long the rest of the run will take."""

    def on_step(step: int) -> None:
        bar.update()
        if step + 1 == steps_to_announce and not bar.disable:
            seconds = bar.format_dict["elapsed"] / steps_to_announce * bar.total * epochs_left
            tqdm.write(f"expected duration: at most {seconds / 60:.0f} min for {epochs_left} epochs")

    return on_step
