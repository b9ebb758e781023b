"""What the networks of the zoo learn in the same time: one short recipe of processor time for all of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

import torch
from pydantic import BaseModel, ConfigDict
from scipy.special import softmax
from torch import Tensor

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import TrainingError
from training.augment import augment, strength_at
from training.config import FitConfig
from training.dataset import Fer2013
from training.layouts import SPEC, TRAINING, VALIDATION
from training.loop import Learner, make_learner, predict_logits, steps_per_epoch, take_step
from training.metrics import measure
from training.networks import build
from training.schedule import learning_rate_at

_PARTS = 1000
_TRIAL_STEPS = 4
_CPU = torch.device("cpu")


class Budget(BaseModel):
    """What all networks get alike. minutes: of one processor core, for training alone."""

    model_config = ConfigDict(frozen=True)

    minutes: float
    seed: int
    data_digest: str


class Learnt(BaseModel):
    """Validation of a network at the end of its budget, as fractions of 1; None for one too big for it.

    epochs: passes over Training within the budget; of a network too big, the part of one, estimated from a few steps.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    budget: Budget
    epochs: float
    accuracy: float | None = None
    accuracy_ci95: list[float] | None = None
    macro_f1: float | None = None


def short_recipe(name: str, seed: int) -> FitConfig:
    """The same for every network; its epochs are thousandths of the budget.

    AdamW 1e-3 with a warm-up of 5 % and a cosine, batches of 64, augmentation growing over 60 %, as fit's recipes have
    them for as many epochs.
    """
    lengths = {"epochs": _PARTS, "warmup_epochs": _PARTS * 0.05, "easy_share": 0.6}
    return FitConfig(model=name, seed=seed, batch_size=64, precision="fp32", **lengths)


def learn(name: str, data: Fer2013, budget: Budget, on_share: Callable[[float], None]) -> Learnt:
    """Trains a network for its budget, unless one epoch does not fit into it, and measures its averaged weights.

    on_share: called after each step with the share of the budget that is used. Raises TrainingError if the loss is not
    finite.
    """
    rows = data.split(TRAINING)
    images, targets = torch.from_numpy(rows.images)[:, None], torch.from_numpy(rows.labels)
    epochs = budget.minutes * 60 / _epoch_seconds(_learner(name, budget.seed), images, targets)
    if epochs < 1:
        return Learnt(name=name, budget=budget, epochs=epochs)
    learner = _learner(name, budget.seed)
    steps = _train(learner, images, targets, budget.minutes * 60, on_share)
    known = data.split(VALIDATION)
    probabilities = softmax(predict_logits(learner.average.module, known.images, SPEC), axis=1)
    figures = measure(probabilities, known.labels, FER2013_LABELS, None)
    kept = {key: figures[key] for key in ("accuracy", "accuracy_ci95", "macro_f1")}
    epochs = steps / steps_per_epoch(len(rows), learner.config.batch_size)
    return Learnt(name=name, budget=budget, epochs=epochs, **kept)


def _learner(name: str, seed: int) -> Learner:
    torch.manual_seed(seed)
    learner = make_learner(build(name, len(FER2013_LABELS)), short_recipe(name, seed), _CPU)
    learner.network.train()
    return learner


def _epoch_seconds(learner: Learner, images: Tensor, targets: Tensor) -> float:
    """Processor time of one pass over all rows, by the fastest of a few steps."""
    batches = _batches(images, targets, learner.config, lambda: 0.0)
    seconds = []
    for _ in range(_TRIAL_STEPS):
        started = time.process_time()
        take_step(learner, *next(batches), learning_rate=0.0)
        seconds.append(time.process_time() - started)
    return min(seconds) * steps_per_epoch(len(images), learner.config.batch_size)


def _train(
    learner: Learner, images: Tensor, targets: Tensor, seconds: float, on_share: Callable[[float], None]
) -> int:
    """Steps until the processor time is used; returns their number."""
    begun = time.process_time()

    def share() -> float:
        return min(1.0, (time.process_time() - begun) / seconds)

    steps = 0
    for crops, labels in _batches(images, targets, learner.config, share):
        loss = take_step(learner, crops, labels, learning_rate_at(int(share() * _PARTS), 1, learner.config))
        if not math.isfinite(loss):
            raise TrainingError(f"The loss of '{learner.config.model}' is {loss}.", "Leave it out with --only.")
        steps += 1
        on_share(share())
        if share() >= 1:
            break
    return steps


def _batches(
    images: Tensor, targets: Tensor, config: FitConfig, share: Callable[[], float]
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented crops float32 (B, 1, H, W) and labels int64 (B,), without end, each pass in an order of its own."""
    generator = torch.Generator().manual_seed(config.seed)
    while True:
        order = torch.randperm(len(images), generator=generator)
        for step in range(steps_per_epoch(len(images), config.batch_size)):
            rows = order[step * config.batch_size : (step + 1) * config.batch_size]
            strength = strength_at(int(share() * _PARTS), config)
            yield augment(images[rows].float(), config, generator, strength), targets[rows]
