"""The learning rate of every step, as a function of the step and of the validation accuracies so far.

Nothing is kept from step to step, so a run that is resumed goes on exactly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from training.config import FitConfig

_PLATEAU = {"factor": 0.75, "patience": 5}
"""Of Khaireddin & Chen 2021 (arXiv 2105.03588), whose best FER2013 network was trained so."""
_RISE, _START, _END = 0.3, 1 / 25, 1 / 25e4
"""Share of the steps with a rising rate, and first and last rate as shares of the highest; as in torch's OneCycleLR."""


def learning_rate_at(
    step: int, steps_per_epoch: int, config: FitConfig, accuracies: Sequence[float] = ()
) -> float:
    """Rate of a step, which counts from 0 over the whole run. accuracies: on validation rows, of the epochs done."""
    total = config.epochs * steps_per_epoch
    if config.schedule == "onecycle":
        return config.learning_rate * _one_cycle(step, total)
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.learning_rate * min(1.0, (step + 1) / warmup)
    if config.schedule == "plateau":
        return config.learning_rate * _plateau(accuracies)
    return config.learning_rate * _cosine(1.0, 0.0, (step - warmup) / max(1, total - warmup))


def _cosine(start: float, end: float, share: float) -> float:
    """Loshchilov & Hutter 2017, arXiv 1608.03983."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * share))


def _one_cycle(step: int, total: int) -> float:
    """Smith & Topin 2019, arXiv 1708.07120."""
    peak, last = _RISE * total - 1, total - 1
    if step <= peak:
        return _cosine(_START, 1.0, step / peak)
    return _cosine(1.0, _END, (step - peak) / (last - peak))


def _plateau(accuracies: Sequence[float]) -> float:
    """What is left of the rate after these epochs: torch's scheduler, shown all of them."""
    follower = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = ReduceLROnPlateau(follower, mode="max", **_PLATEAU)  # type: ignore[arg-type]
    for accuracy in accuracies:
        scheduler.step(accuracy)
    return float(follower.param_groups[0]["lr"])
