from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fer_live.core.modelcard import load_verified_card
from fer_live.errors import TrainingError
from training import checkpoint, fit, loop
from training.config import FitConfig
from training.crew import Crew
from training.dataset import Fer2013
from training.fit import dry_run, main
from training.train import train


def stop_before(epoch: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Makes training fail at the start of an epoch, as a power cut would."""

    def failing(learner: Any, material: Any, number: int, *others: Any) -> float:
        if number == epoch:
            raise error
        return loop.train_one_epoch(learner, material, number, *others)

    monkeypatch.setattr("training.train.train_one_epoch", failing)


def test_resumed_run_equals_an_uninterrupted_one(
    tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    _, expected = train(quick(), small_data, whole)
    with monkeypatch.context() as patch:
        stop_before(2, patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            train(quick(), small_data, broken)
    assert checkpoint.is_in(broken)
    # Whatever happened in between must not matter.
    torch.manual_seed(123)
    _, resumed = train(quick(), small_data, broken)
    assert resumed.epochs_done == expected.epochs_done == 3
    for key in ("loss", "accuracy"):
        assert [epoch[key] for epoch in resumed.history] == [epoch[key] for epoch in expected.history]
    first, second = load_file(whole / checkpoint.FILE_NAME), load_file(broken / checkpoint.FILE_NAME)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_finished_run_is_not_trained_again(
    tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(epochs=1)
    _, before = train(config, small_data, tmp_path)
    stop_before(0, monkeypatch, AssertionError("trained again"))
    _, after = train(config, small_data, tmp_path)
    assert after.history == before.history
    assert all(torch.equal(tensor, before.best_weights[name]) for name, tensor in after.best_weights.items())


def test_an_unfinished_run_can_be_taken_as_it_is(
    tmp_path: Path, rows: Any, write_csv: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "fer2013.csv"
    data.write_text(write_csv(rows))
    stop_before(1, monkeypatch, KeyboardInterrupt())
    asked = ["--data", str(data), "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--batch-size", "16"]
    assert main([*asked, "--epochs", "3"]) == 130
    assert main([*asked, "--epochs", "3", "--finish"]) == 0
    card = load_verified_card(tmp_path / "out" / "mobilevit_xxs.onnx")
    assert (card.training["epochs_done"], card.training["config"]["epochs"]) == (1, 3)


def test_a_run_without_an_epoch_cannot_be_taken(
    tmp_path: Path, rows: Any, write_csv: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "fer2013.csv"
    data.write_text(write_csv(rows))
    asked = ["--data", str(data), "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--finish"]
    assert main(asked) == 2
    assert "has no finished epoch" in capsys.readouterr().err
    assert not list((tmp_path / "out").iterdir())


def test_nan_loss_keeps_the_last_checkpoint(
    tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(learner: Any, material: Any, number: int, *others: Any) -> float:
        if number == 1:
            with torch.no_grad():
                next(learner.network.parameters()).fill_(float("nan"))
        return loop.train_one_epoch(learner, material, number, *others)

    monkeypatch.setattr("training.train.train_one_epoch", poisoned)
    with pytest.raises(TrainingError, match="loss is nan at step 1 of epoch 2"):
        train(quick(), small_data, tmp_path)
    learner, progress = fit.start_or_resume(quick(), tmp_path)
    assert progress.epochs_done == 1
    assert all(bool(torch.isfinite(tensor).all()) for tensor in learner.network.state_dict().values())


def test_a_process_that_does_not_lead_writes_nothing(
    tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig]
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    fit.fit(quick(model="fc_basic", epochs=1), small_data, run, out, crew=Crew(rank=1))
    assert os.listdir(run) == os.listdir(out) == []


def test_expected_duration_is_said_once(
    tmp_path: Path,
    small_data: Fer2013,
    quick: Callable[..., FitConfig],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("training.train._STEPS_TO_ESTIMATE", 2)
    train(quick(epochs=2), small_data, tmp_path)
    assert capsys.readouterr().out.count("expected duration") == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), TrainingError),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), TrainingError),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), TrainingError),
        (RuntimeError("shapes do not match"), RuntimeError),
    ],
)
def test_out_of_memory_says_which_batch_size_to_try(error: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as caught, fit._advice_on_memory(128):
        raise error
    assert ("--batch-size 64" in str(caught.value)) == (expected is TrainingError)


def test_dry_run_does_everything_and_keeps_nothing(
    tmp_path: Path,
    small_data: Fer2013,
    quick: Callable[..., FitConfig],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dry_run(quick(model="resnet18", batch_size=8, epochs=30), small_data, None)
    printed = capsys.readouterr().out
    assert "new weights in" in printed and "nothing was kept" in printed
    assert os.listdir(tmp_path) == []


def command(trained: Any, tmp_path: Path, *more: str) -> int:
    """The command on the small data, in folders of this test."""
    places = ["--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]
    return main(["--data", str(trained.data), *places, "--batch-size", "16", "--epochs", "1", *more])


def test_missing_data_says_where_people_get_it(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(trained, tmp_path, "--data", str(tmp_path / "fer2013.csv")) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: There is no FER2013 at") and "Kaggle" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--epochs", "0"], "Setting 'epochs' = 0"),
        (["--seed", str(2**64)], f"Setting 'seed' = {2**64}"),
        (["--batch-size", "1"], "Setting 'batch_size' = 1"),
        (["--learning-rate", "-1"], "Setting 'learning_rate' = -1.0"),
        (["--init", "nowhere.safetensors"], "There are no weights at 'nowhere.safetensors'"),
    ],
)
def test_bad_option_ends_with_one_sentence(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert command(trained, tmp_path, *more) == 2
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--run", "--out"])
def test_unwritable_folder_is_found_before_training(
    trained: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: str,
) -> None:
    monkeypatch.setattr(fit, "train", lambda *arguments: pytest.fail("training started"))
    (tmp_path / "file").touch()
    assert command(trained, tmp_path, option, str(tmp_path / "file" / "folder")) == 2
    assert f"Choose another {option}" in capsys.readouterr().err


@pytest.mark.parametrize("usage", ["Training", "PublicTest"])
def test_class_without_rows_is_named(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], usage: str
) -> None:
    lines = trained.data.read_text().splitlines()
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(line for line in lines if not (line.startswith("1,") and line.endswith(usage))))
    assert command(trained, tmp_path, "--data", str(path)) == 2
    assert f"no rows of disgust in '{usage}'" in capsys.readouterr().err


def test_full_disk_at_a_checkpoint_ends_with_one_sentence_and_the_old_one_resumes(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tmp_path / "run" / checkpoint.FILE_NAME
    flush = os.fsync

    def full_after_the_first(descriptor: int) -> None:
        if first.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_after_the_first)
        assert command(trained, tmp_path, "--epochs", "2") == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "No space left on device" in line and "resumes from the previous checkpoint" in line
    assert sorted(os.listdir(tmp_path / "run")) == [checkpoint.FILE_NAME, "run.json"]
    assert command(trained, tmp_path, "--epochs", "2") == 0
    assert "epoch 2:" in (printed := capsys.readouterr().out) and "epoch 1:" not in printed


def test_weights_of_another_network_are_refused(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init = str(trained.out / "mobilevit_xxs.safetensors")
    assert command(trained, tmp_path, "--model", "resnet18", "--init", init) == 2
    assert "holds mobilevit_xxs and does not fit resnet18" in capsys.readouterr().err


def test_run_of_another_config_is_refused(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(trained, tmp_path, "--run", str(trained.run), "--seed", "1") == 2
    assert "made with other settings (seed)" in capsys.readouterr().err


def test_run_of_another_network_is_refused(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(trained, tmp_path, "--run", str(trained.run), "--model", "resnet18") == 2
    assert "made with other settings (model" in capsys.readouterr().err


def test_unknown_model_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--model", "vgg"])
    assert caught.value.code == 2
    assert "mobilevit_xxs" in capsys.readouterr().err


def test_interrupt_ends_with_130(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fit, "train", interrupted)
    assert command(trained, tmp_path) == 130
    assert "interrupted" in capsys.readouterr().err


def test_help_says_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "default: data/fer2013.csv" in " ".join(capsys.readouterr().out.split())
