"""Checkpoints: one safetensors file, replaced atomically once an epoch, from which a run resumes exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from fer_live.errors import TrainingError
from training.config import FitConfig
from training.files import replace_file
from training.loop import Learner

FILE_NAME = "checkpoint.safetensors"
_NETWORK, _AVERAGE, _BEST, _OPTIMIZER = "network.", "average.", "best.", "optimizer."


@dataclass
class Progress:
    """How far a run is; epochs count from 0.

    history: one record an epoch with its mean loss, validation accuracy (fraction) and elapsed seconds.
    """

    epochs_done: int = 0
    best_epoch: int = -1
    best_accuracy: float = -1.0
    history: list[dict[str, float]] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def record(self, loss: float, accuracy: float, seconds: float, weights: dict[str, Tensor]) -> None:
        """Adds a finished epoch; its weights become the best only if its accuracy is strictly better."""
        self.history.append({"loss": loss, "accuracy": accuracy, "seconds": seconds})
        if accuracy > self.best_accuracy:
            self.best_epoch, self.best_accuracy = self.epochs_done, accuracy
            self.best_weights = {name: tensor.detach().clone() for name, tensor in weights.items()}
        self.epochs_done += 1

    def is_finished(self, config: FitConfig) -> bool:
        """True after the last epoch, or after `patience` epochs without a better one."""
        stale = self.epochs_done - 1 - self.best_epoch
        return self.epochs_done >= config.epochs or stale >= config.patience


def _prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _optimizer_tensors(learner: Learner) -> dict[str, Tensor]:
    state = learner.optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": torch.as_tensor(value)
        for index, values in state.items()
        for key, value in values.items()
        if value is not None
    }


def save_checkpoint(run: Path, learner: Learner, progress: Progress) -> None:
    """Writes the checkpoint beside the old one, then replaces it; on a full disk the old one stays."""
    tensors = (
        _prefixed(_NETWORK, learner.network.state_dict())
        | _prefixed(_AVERAGE, learner.average.state_dict())
        | _prefixed(_BEST, progress.best_weights)
        | _prefixed(_OPTIMIZER, _optimizer_tensors(learner))
    )
    facts = {
        "config": learner.config.model_dump(),
        "epochs_done": progress.epochs_done,
        "best_epoch": progress.best_epoch,
        "best_accuracy": progress.best_accuracy,
        "history": progress.history,
    }
    hint = "Free some space and start again: the run resumes from the previous checkpoint."
    replace_file(run / FILE_NAME, save(tensors, metadata={"run": json.dumps(facts)}), hint)


@contextmanager
def _reading(run: Path) -> Iterator[Path]:
    """The path of the checkpoint; whatever does not fit while it is read becomes a TrainingError."""
    path = run / FILE_NAME
    try:
        yield path
    # RuntimeError is what torch raises for tensors that do not fit a network; ValueError covers pydantic's.
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainingError(
            f"'{path}' is not a checkpoint that this version can resume ({error}).", "Choose another --run."
        ) from error


def _facts(path: Path) -> dict[str, Any]:
    with safe_open(path, "pt") as file:
        facts: dict[str, Any] = json.loads(file.metadata()["run"])
        return facts


def is_in(run: Path) -> bool:
    """True if the folder holds a checkpoint."""
    return (run / FILE_NAME).is_file()


def saved_config(run: Path) -> FitConfig | None:
    """The resolved config of the run in a folder, or None if there is none yet."""
    if not is_in(run):
        return None
    with _reading(run) as path:
        return FitConfig.model_validate(_facts(path)["config"])


def load_checkpoint(run: Path, learner: Learner) -> Progress:
    """Puts the state of a run into a learner of the same config and returns how far it is."""
    with _reading(run) as path:
        facts, tensors = _facts(path), load_file(path)
        learner.network.load_state_dict(_under(_NETWORK, tensors))
        learner.average.load_state_dict(_under(_AVERAGE, tensors))
        _load_optimizer(learner, _under(_OPTIMIZER, tensors))
        kept = {key: facts[key] for key in ("epochs_done", "best_epoch", "best_accuracy", "history")}
        return Progress(**kept, best_weights=_under(_BEST, tensors))


def _load_optimizer(learner: Learner, tensors: dict[str, Tensor]) -> None:
    parameters = [each for group in learner.optimizer.param_groups for each in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:  # Fused optimizers ask for the parameter's order in memory.
            tensor = torch.empty_like(parameter, device=tensor.device).copy_(tensor)
        state.setdefault(int(index), {})[key] = tensor
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
