from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fer_live.errors import TrainingError
from training.checkpoint import FILE_NAME, Progress, is_in, load_checkpoint, save_checkpoint, saved_config
from training.config import FitConfig
from training.loop import Learner, make_learner, take_step
from training.networks import build


@pytest.fixture
def learner(quick: Callable[..., FitConfig]) -> Learner:
    torch.manual_seed(0)
    return make_learner(build("mobilevit_xxs", 7), quick(), torch.device("cpu"))


def test_best_only_improves() -> None:
    progress = Progress()
    accuracies = [0.3, 0.5, 0.5, 0.4, 0.6]
    for number, accuracy in enumerate(accuracies):
        progress.record(1.0, accuracy, 2.0, {"weight": torch.tensor([float(number)])})
        assert progress.best_accuracy == max(accuracies[: number + 1])
        assert progress.best_weights["weight"].item() == progress.best_epoch == [0, 1, 1, 1, 4][number]
    assert progress.epochs_done == len(progress.history) == 5


def test_best_weights_do_not_follow_the_network() -> None:
    weight = torch.zeros(1)
    progress = Progress()
    progress.record(1.0, 0.5, 1.0, {"weight": weight})
    weight += 1
    assert progress.best_weights["weight"].item() == 0


@pytest.mark.parametrize(
    ("epochs_done", "best_epoch", "finished"),
    [(0, -1, False), (9, 8, False), (10, 9, True), (5, 1, True), (4, 1, False)],
)
def test_finished_after_the_last_epoch_or_without_patience(
    quick: Callable[..., FitConfig], epochs_done: int, best_epoch: int, finished: bool
) -> None:
    assert Progress(epochs_done, best_epoch).is_finished(quick(epochs=10, patience=3)) is finished


def test_no_checkpoint_yet(tmp_path: Path) -> None:
    assert not is_in(tmp_path)
    assert saved_config(tmp_path) is None


def test_optimizer_state_lies_in_memory_as_its_parameters_do(
    tmp_path: Path, quick: Callable[..., FitConfig]
) -> None:
    """Fused optimizers, as on GPUs, refuse a step otherwise."""
    config = quick(model="cnn3", optimizer="adamw")
    begun, resumed = (make_learner(build("cnn3", 7), config, torch.device("cpu")) for _ in range(2))
    crops = torch.rand(4, 1, 48, 48, generator=torch.Generator().manual_seed(0)) * 255
    take_step(begun, crops, torch.arange(4), 1e-3)
    save_checkpoint(tmp_path, begun, Progress())
    load_checkpoint(tmp_path, resumed)
    assert any(not parameter.is_contiguous() for parameter in resumed.network.parameters())
    for parameter in resumed.network.parameters():
        for name in ("exp_avg", "exp_avg_sq"):
            assert resumed.optimizer.state[parameter][name].stride() == parameter.stride()
    for old, new in zip(begun.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(begun.optimizer.state[old]["exp_avg"], resumed.optimizer.state[new]["exp_avg"])


def test_full_disk_keeps_the_old_checkpoint(
    tmp_path: Path, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress()
    progress.record(1.0, 0.5, 1.0, learner.network.state_dict())
    save_checkpoint(tmp_path, learner, progress)
    progress.record(0.5, 0.6, 1.0, learner.network.state_dict())

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"No space left.*resumes from the previous checkpoint"):
        save_checkpoint(tmp_path, learner, progress)
    assert os.listdir(tmp_path) == [FILE_NAME]
    assert load_checkpoint(tmp_path, learner).best_accuracy == 0.5


def test_checkpoint_of_another_network_is_refused(
    tmp_path: Path, learner: Learner, quick: Callable[..., FitConfig]
) -> None:
    save_checkpoint(tmp_path, learner, Progress())
    other = make_learner(build("resnet18", 7), learner.config, torch.device("cpu"))
    with pytest.raises(TrainingError, match="not a checkpoint that this version can resume"):
        load_checkpoint(tmp_path, other)


def test_file_that_is_not_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"something else")
    with pytest.raises(TrainingError, match=f"{FILE_NAME}' is not a checkpoint"):
        saved_config(tmp_path)
    save_file({"weight": torch.zeros(1)}, path)
    with pytest.raises(TrainingError, match=f"{FILE_NAME}' is not a checkpoint"):
        saved_config(tmp_path)
