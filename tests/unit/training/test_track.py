from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fer_live.errors import ConfigError
from training.config import FitConfig
from training.dataset import Fer2013
from training.track import open_tracker
from training.train import train


class FakeWandb:
    """Of wandb's module: init, and the Run that it gives (https://docs.wandb.ai/ref/python/)."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.is_finished = False

    def init(self, **given: Any) -> SimpleNamespace:
        self.given = given
        return SimpleNamespace(log=self._log, finish=self._finish)

    def _log(self, figures: dict[str, float], step: int) -> None:
        self.logged.append((step, figures))

    def _finish(self) -> None:
        self.is_finished = True


def test_every_epoch_is_logged_offline(
    tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    config = quick(epochs=2)
    with open_tracker("wandb", tmp_path, config) as tracker:
        _, progress = train(config, small_data, tmp_path, tracker=tracker)
    assert wandb.given["mode"] == "offline" and wandb.given["dir"] == tmp_path
    assert wandb.given["config"] == config.model_dump()
    assert [epoch for epoch, _ in wandb.logged] == [1, 2]
    for (_, figures), past in zip(wandb.logged, progress.history, strict=True):
        assert (figures["loss"], figures["validation_accuracy"]) == (past["loss"], past["accuracy"])
        assert figures["learning_rate"] >= 0
    assert wandb.is_finished


def test_sending_is_up_to_the_environment(
    tmp_path: Path, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setenv("WANDB_MODE", "online")
    open_tracker("wandb", tmp_path, quick()).close()
    assert wandb.given["mode"] == "online"


def test_tensorboard_writes_into_the_run(tmp_path: Path, quick: Callable[..., FitConfig]) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with open_tracker("tensorboard", tmp_path, quick()) as tracker:
        tracker.log(1, {"loss": 1.5})
        tracker.log(2, {"loss": 0.5})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(1, 1.5), (2, 0.5)]


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_missing_package_is_named(
    tmp_path: Path, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(ConfigError, match=rf"--track {name} cannot start .*pip install {name}"):
        open_tracker(name, tmp_path, quick())
