"""Where the figures of a run go besides the terminal: nowhere, or to TensorBoard or Weights & Biases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from fer_live.core.closing import Closing
from fer_live.errors import ConfigError
from training.config import FitConfig

TRACKERS = ("none", "tensorboard", "wandb")


class Tracker(Closing, Protocol):
    """Takes figures, epoch by epoch."""

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Figures by name, of an epoch that counts from 1."""
        ...


class _NoTracker(Closing):
    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        pass

    def close(self) -> None:
        pass


NO_TRACKER = _NoTracker()


class _TensorBoard(Closing):
    def __init__(self, run: Path, config: FitConfig) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run / "tensorboard"))
        self._writer.add_text("config", f"```\n{config.model_dump_json(indent=2)}\n```")

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        for name, figure in figures.items():
            self._writer.add_scalar(name, figure, epoch)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _WandB(Closing):
    """Keeps to the run's folder, from where `wandb sync` sends it, unless WANDB_MODE=online is set."""

    def __init__(self, run: Path, config: FitConfig) -> None:
        import wandb

        mode: Any = os.environ.get("WANDB_MODE", "offline")
        self._run = wandb.init(project="fer-live", dir=run, config=config.model_dump(), mode=mode, name=run.name)

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=epoch)

    def close(self) -> None:
        self._run.finish()


def open_tracker(name: str, run: Path, config: FitConfig) -> Tracker:
    """The tracker of a name in TRACKERS; what it writes lies in the run's folder.

    Raises ConfigError if its package is not installed.
    """
    try:
        if name == "tensorboard":
            return _TensorBoard(run, config)
        if name == "wandb":
            return _WandB(run, config)
    except ImportError as error:
        raise ConfigError(f"--track {name} cannot start ({error}).", f"Install it: pip install {name}") from error
    return NO_TRACKER
