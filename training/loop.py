"""The training loop: functions of explicit arguments, nothing global."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from fer_live.core.modelcard import InputSpec
from fer_live.core.preprocess import to_batch
from fer_live.errors import TrainingError
from training.augment import augment, strength_at
from training.config import FitConfig
from training.crew import ALONE, Crew
from training.networks import FerNet, build
from training.schedule import learning_rate_at

_EVALUATION_BATCH = 256
_TRIAL_STEPS = 6
_Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass
class Learner:
    """All state that a step changes; a checkpoint holds exactly this and the epoch.

    joined: the network, as this process of the crew calls it to learn.
    """

    network: FerNet
    joined: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    config: FitConfig
    device: torch.device
    crew: Crew


_OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def make_learner(network: FerNet, config: FitConfig, device: torch.device, crew: Crew = ALONE) -> Learner:
    """A learner at step 0. Norms and biases are not decayed (He et al. 2019, arXiv 1812.01187)."""
    network = network.to(device).to(memory_format=torch.channels_last)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    # On a GPU, one kernel for all tensors.
    fused = device.type == "cuda" or None
    optimizer: torch.optim.Optimizer
    if config.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, lr=config.learning_rate, momentum=0.9, nesterov=True, fused=fused)
    else:
        optimizer = _OPTIMIZERS[config.optimizer](groups, lr=config.learning_rate, fused=fused)
    average = AveragedModel(network, multi_avg_fn=_ema(config.ema_decay), use_buffers=True)
    return Learner(network, crew.joined(network), average, optimizer, config, device, crew)


def _ema(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """Exponential moving average whose decay grows with the steps, so that early averages are not stale."""

    @torch.no_grad()
    def update(averaged: _Tensors, current: _Tensors, steps: Tensor | int) -> None:
        if not averaged[0].is_floating_point():
            for old, new in zip(averaged, current, strict=True):
                old.copy_(new)
            return
        weight = 1 - min(decay, (1 + int(steps)) / (10 + int(steps)))
        torch._foreach_lerp_(averaged, current, weight)

    return update


def autocast(config: FitConfig, device: torch.device) -> AbstractContextManager[None]:
    """bfloat16 autocast where the run's resolved precision asks for it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")


@dataclass(frozen=True)
class Material:
    """What a network learns from, on the learner's device, so that no step waits for it.

    images: uint8 (N, 1, H, W). targets: labels, int64 (N,), or probabilities, float32 (N, K).
    class_weights: float32 (K,), how much each label counts in the loss. draw_weights: float32 (N,), how often each row
    is drawn, with replacement; None draws each row once an epoch.
    """

    images: Tensor
    targets: Tensor
    class_weights: Tensor | None = None
    draw_weights: Tensor | None = None


def train_one_epoch(
    learner: Learner,
    material: Material,
    epoch: int,
    on_step: Callable[[int], None] | None = None,
    accuracies: Sequence[float] = (),
) -> float:
    """One pass over the rows in random order; returns the mean loss.

    Every draw comes from (seed, epoch, rank in the crew), so an epoch that is repeated after a resume is the same
    epoch. on_step is called after each step with its number. accuracies: see learning_rate_at.
    Raises TrainingError if the loss is not finite; the last checkpoint is then still good.
    """
    config, crew, count = learner.config, learner.crew, len(material.images)
    seed = config.seed * 100_003 + epoch
    generator = torch.Generator().manual_seed(seed)
    order = _order(material, generator)
    if not crew.is_leader:  # One order for all, but each draws its own augmentation and dropout.
        seed += crew.rank * 1_000_003
        generator.manual_seed(seed)
    torch.manual_seed(seed)
    steps = steps_per_epoch(count, config.batch_size)
    learner.network.train()
    total = 0.0
    for step in range(steps):
        batch = order[step * config.batch_size : (step + 1) * config.batch_size]
        rows = batch[crew.rank :: crew.size].to(learner.device)
        crops = material.images[rows].float()
        if config.augmentation:
            crops = augment(crops, config, generator, strength_at(epoch, config))
        rate = learning_rate_at(epoch * steps + step, steps, config, accuracies)
        loss = _step(learner, crops, material.targets[rows], rate, material.class_weights)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is {loss} at step {step + 1} of epoch {epoch + 1}.",
                "Lower the learning rate; the last checkpoint is kept.",
            )
        total += loss
        if on_step is not None:
            on_step(step)
    return crew.mean(total / steps)


def _order(material: Material, generator: torch.Generator) -> Tensor:
    if material.draw_weights is None:
        return torch.randperm(len(material.images), generator=generator)
    return torch.multinomial(material.draw_weights.cpu(), len(material.images), replacement=True, generator=generator)


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Whole batches only: a last batch of one row would break batch normalization."""
    return max(1, rows // batch_size)


def _step(
    learner: Learner, crops: Tensor, targets: Tensor, learning_rate: float, class_weights: Tensor | None = None
) -> float:
    for group in learner.optimizer.param_groups:
        group["lr"] = learning_rate
    crops = crops.to(memory_format=torch.channels_last)
    with autocast(learner.config, learner.device):
        logits = learner.joined(crops).float()
    loss = F.cross_entropy(logits, targets, class_weights, label_smoothing=learner.config.label_smoothing)
    learner.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(learner.network.parameters(), learner.config.clip_norm)
    learner.optimizer.step()
    learner.average.update_parameters(learner.network)
    return float(loss.detach())


def fastest_precision(config: FitConfig, device: torch.device) -> Literal["fp32", "bf16"]:
    """Times a few steps of the run's own network in float32 and in bfloat16 autocast and takes the faster.

    Only CPUs with bfloat16 arithmetic gain from it, and more with large convolutions. Where it can only be emulated,
    trying alone would take minutes.
    """
    if device.type == "cpu" and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        return "fp32"
    crops = torch.rand(config.batch_size, 1, 48, 48, device=device) * 255
    labels = torch.zeros(config.batch_size, dtype=torch.int64, device=device)
    choices: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16")
    learners = [
        make_learner(build(config.model, 7), config.model_copy(update={"precision": precision}), device)
        for precision in choices
    ]
    seconds: list[list[float]] = [[], []]
    # In turns, and by the least time, so that other load on the machine decides as little as possible.
    for _ in range(_TRIAL_STEPS):
        for learner, timings in zip(learners, seconds, strict=True):
            started = time.perf_counter()
            _step(learner, crops, labels, 0.0)
            timings.append(time.perf_counter() - started)
    return choices[0] if min(seconds[0]) <= min(seconds[1]) else choices[1]


@torch.inference_mode()
def predict_logits(network: nn.Module, crops: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.float32]:
    """Logits float32 (N, K) of crops uint8 (N, H, W), through the preprocessing of live use, in float32."""
    network.eval()
    device = next(network.parameters()).device
    batches = (
        torch.from_numpy(to_batch(crops[start : start + _EVALUATION_BATCH], spec))
        for start in range(0, len(crops), _EVALUATION_BATCH)
    )
    return np.concatenate([network(batch.to(device)).cpu().numpy() for batch in batches])
