from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from fer_live.errors import ConfigError, TrainingError
from fer_live.files import lock
from training import loop, sweep, train
from training.config import FitConfig
from training.dataset import Fer2013
from training.runs import start_or_resume
from training.sweep import STUDY_FILE, Sweep, main, plan
from training.sweep_report import Outcome, describe, draw_sweep

Trained = list[tuple[bool, int]]


@pytest.fixture
def asked() -> Sweep:
    """Augmentation on and off, two seeds, one epoch of one step each."""
    planned = plan("augmentation", 2, model="mobilevit_xxs", epochs=1)
    configs = {name: config.model_copy(update={"precision": "fp32"}) for name, config in planned.configs.items()}
    return dataclasses.replace(planned, configs=configs)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Augmentation and seed of each epoch that is really trained, in order."""
    epochs: Trained = []

    def counting(learner: loop.Learner, *others: Any) -> float:
        epochs.append((learner.config.augmentation, learner.config.seed))
        return loop.train_one_epoch(learner, *others)

    monkeypatch.setattr(train, "train_one_epoch", counting)
    return epochs


EVERY = [(False, 0), (False, 1), (True, 0), (True, 1)]


def fail_at(place: int, error: BaseException, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the epoch of that number, from 0, fail."""
    counting = train.train_one_epoch

    def failing(*given: Any) -> float:
        if len(trained) == place:
            raise error
        return counting(*given)

    monkeypatch.setattr(train, "train_one_epoch", failing)


def test_every_value_is_tried_once_with_every_seed(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.sweep(asked, small_data, tmp_path)
    assert sorted(trained) == EVERY
    table, printed = (tmp_path / "results.md").read_text(), capsys.readouterr().out.splitlines()
    assert table.startswith("# augmentation: mobilevit_xxs; epochs: 1; seeds: 2\n")
    for value in ("on", "off"):
        configs = [asked.configs[value].model_copy(update={"seed": seed}) for seed in (0, 1)]
        runs = [start_or_resume(config, tmp_path / f"{value}-{config.seed}") for config in configs]
        accuracies = [progress.best_accuracy for _, progress in runs]
        line = next(line for line in table.splitlines() if line.startswith(f"| {value} | 2 |"))
        assert f"| {sum(accuracies) / 2:.1%} (" in line
        assert line.endswith(f"| {min(accuracies):.1%}-{max(accuracies):.1%} | 1 |")
        assert line in printed
        assert json.loads((tmp_path / f"{value}-1" / "run.json").read_text())["data_digest"] == small_data.digest()
    assert cv2.imread(str(tmp_path / "results.png")) is not None


def test_a_finished_sweep_is_only_told_again(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep.sweep(asked, small_data, tmp_path)
    before = (tmp_path / "results.md").read_text()
    (tmp_path / "results.md").unlink()
    capsys.readouterr()
    sweep.sweep(asked, small_data, tmp_path)
    assert len(trained) == 4
    assert (tmp_path / "results.md").read_text() == before
    assert capsys.readouterr().out.count("| off | 2 |") == 1


def test_an_interrupted_trial_goes_on_from_its_checkpoint(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = {name: config.model_copy(update={"epochs": 2}) for name, config in asked.configs.items()}
    asked = dataclasses.replace(asked, configs=longer)
    for place in (3, 3, 6):  # In the second epoch of the second trial, twice, and at the start of the fourth.
        with monkeypatch.context() as patch:
            fail_at(place, KeyboardInterrupt(), trained, patch)
            with pytest.raises(KeyboardInterrupt):
                sweep.sweep(asked, small_data, tmp_path)
    sweep.sweep(asked, small_data, tmp_path)
    assert sorted(trained) == sorted(EVERY * 2)
    assert trained[2] == trained[3] and trained[6] == trained[7]
    table = (tmp_path / "results.md").read_text()
    assert table.count(" | 2 |") == 2 + 2  # Two seeds and two epochs of each value.
    assert "failed" not in table


def test_a_failed_trial_is_noted_and_the_others_go_on(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[tuple[bool, int]] = []
    counting = train.train_one_epoch

    def failing(learner: loop.Learner, *others: Any) -> float:
        if not learner.config.augmentation:
            failed.append((learner.config.augmentation, learner.config.seed))
            raise TrainingError("The loss is nan at step 1 of epoch 1.", "Lower the learning rate.")
        return counting(learner, *others)

    monkeypatch.setattr(train, "train_one_epoch", failing)
    for _ in range(2):
        sweep.sweep(asked, small_data, tmp_path)
    assert (sorted(failed), sorted(trained)) == (EVERY[:2], EVERY[2:])
    table = (tmp_path / "results.md").read_text()
    assert "| off | 0 | - | - | - |\n" in table and "| on | 2 |" in table
    assert "- off, seed 1, failed: The loss is nan at step 1 of epoch 1. Lower the learning rate.\n" in table


def test_a_full_disk_is_not_a_failed_trial(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = TrainingError("'checkpoint' cannot be written (No space left on device).")
    full.__cause__ = OSError(28, "No space left on device")
    with monkeypatch.context() as patch:
        fail_at(1, full, trained, patch)
        with pytest.raises(TrainingError, match="No space left"):
            sweep.sweep(asked, small_data, tmp_path)
    sweep.sweep(asked, small_data, tmp_path)
    assert sorted(trained) == EVERY


def test_a_journal_that_cannot_be_written_is_told(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("optuna.storages.journal.JournalFileBackend.append_logs", full)
    with pytest.raises(TrainingError, match=rf"{STUDY_FILE}' cannot be written \(No space left on device\)"):
        sweep.sweep(asked, small_data, tmp_path)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"preset": "optimizer"}, "has preset augmentation, not optimizer"),
        ({"model": "resnet18"}, "has model mobilevit_xxs, not resnet18"),
        ({"values": ["on"]}, "has values on, off, not on"),
        ({"epochs": 3}, "has epochs 1, not 3"),
        ({"seeds": 3}, "has seeds 2, not 3"),
        ({"batch_size": 8}, "has recipe [0-9a-f]+, not [0-9a-f]+"),
    ],
)
def test_another_sweep_in_the_folder_is_refused(
    tmp_path: Path,
    small_data: Fer2013,
    asked: Sweep,
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
    other: dict[str, Any],
    told: str,
) -> None:
    fail_at(0, KeyboardInterrupt(), trained, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        sweep.sweep(asked, small_data, tmp_path)
    same = {"preset": "augmentation", "seeds": 2, "model": "mobilevit_xxs", "epochs": 1}
    with pytest.raises(TrainingError, match=told):
        sweep.sweep(plan(**(same | other)), small_data, tmp_path)
    assert not trained


def test_a_second_process_is_refused(tmp_path: Path, small_data: Fer2013, asked: Sweep) -> None:
    with (tmp_path / STUDY_FILE).open("ab") as held:
        assert lock(held.fileno())
        with pytest.raises(TrainingError, match="Another process is at work"):
            sweep.sweep(asked, small_data, tmp_path)


@pytest.mark.parametrize("content", [b"no study\n", b"{}\n", b"[]\n", b'{"op_code":0'])
def test_a_damaged_study_is_told(tmp_path: Path, small_data: Fer2013, asked: Sweep, content: bytes) -> None:
    (tmp_path / STUDY_FILE).write_bytes(content)
    with pytest.raises(TrainingError, match=r"is not a study that Optuna can read .* Delete that file"):
        sweep.sweep(asked, small_data, tmp_path)


def test_what_a_network_refuses_is_known_before_anything_is_written(
    tmp_path: Path, small_data: Fer2013, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_dropout(model: str, labels: int, dropout: float | None) -> None:
        if dropout is not None:
            raise ConfigError(f"{model} has no dropout.")

    monkeypatch.setattr(sweep, "build", without_dropout)
    with pytest.raises(ConfigError, match="resnet18 has no dropout"):
        sweep.sweep(plan("dropout", 1, model="resnet18"), small_data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_presets_change_what_they_ask() -> None:
    def settings(planned: Sweep, *names: str) -> dict[str, tuple[Any, ...]]:
        return {value: tuple(getattr(config, name) for name in names) for value, config in planned.configs.items()}

    model = {"model": "mobilevit_xxs"}
    assert settings(plan("augmentation", 1), "model", "augmentation") == {
        "on": ("resnet18", True),
        "off": ("resnet18", False),
    }
    assert settings(plan("architecture", 1, ["resnet18", "mobilevit_xxs"], epochs=4), "model", "epochs") == {
        "resnet18": ("resnet18", 4),
        "mobilevit_xxs": ("mobilevit_xxs", 4),
    }
    rates = {"0.0001": (1e-4,), "0.001": (1e-3,), "0.01": (1e-2,)}
    assert settings(plan("learning_rate", 1, **model), "learning_rate") == rates
    assert settings(plan("optimizer", 1, **model), "optimizer", "learning_rate") == {
        "adam": ("adam", 1e-3),
        "sgd": ("sgd", 1e-2),
    }
    assert settings(plan("dropout", 1, **model), "dropout") == {"0.3": (0.3,), "0.5": (0.5,), "0.7": (0.7,)}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("augmentation", 0), "'seeds' = 0"),
        (("augmentation", 1, ["maybe"]), r"'augmentation' has no value 'maybe'. Choose from: on, off\."),
    ],
)
def test_what_cannot_be_asked_is_told(given: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        plan(*given)


def test_networks_are_not_asked_of_a_network() -> None:
    with pytest.raises(ConfigError, match="Leave out --model"):
        plan("architecture", 1, model="resnet18")


def test_table_and_picture_show_means_spread_and_failures() -> None:
    outcomes = [
        Outcome("a", 0, 0.5, 10),
        Outcome("a", 1, 0.6, 12),
        Outcome("b", 0, None, reason="The loss is nan."),
        Outcome("b", 1, 1.0, 3),
    ]
    lines = describe(["a", "b", "c"], outcomes, 1000).splitlines()
    assert lines[2:] == [
        "| a | 2 | 55.0% (51.9%-58.1%) | 50.0%-60.0% | 10-12 |",
        "| b | 1 | 100.0% (99.6%-100.0%) | 100.0%-100.0% | 3 |",
        "| c | 0 | - | - | - |",
        "",
        "- b, seed 0, failed: The loss is nan.",
    ]
    (axes,) = draw_sweep("title", ["a", "b", "c"], outcomes, 1000).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert axes.lines[0].get_ydata().tolist() == [0.5, 0.6]
    assert [container[0].get_ydata().tolist() for container in axes.containers] == [[0.55], [1.0]]


def test_the_command(
    tmp_path: Path,
    rows: Any,
    write_csv: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    trained: Trained,
) -> None:
    monkeypatch.setattr("training.runs.fastest_precision", lambda *_: "fp32")
    data = tmp_path / "fer2013.csv"
    data.write_text(write_csv(rows))
    asked = ["augmentation", "--model", "mobilevit_xxs", "--epochs", "1", "--seeds", "1"]
    asked += ["--data", str(data), "--out", str(tmp_path / "out")]
    with monkeypatch.context() as patch:
        fail_at(1, KeyboardInterrupt(), trained, patch)
        assert main(asked) == 130
    assert main(asked) == 0
    assert sorted(trained) == [(False, 0), (True, 0)]
    printed = capsys.readouterr()
    assert "| on | 1 |" in printed.out and "interrupted" in printed.err
    assert main([*asked, "--model", "resnet18"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: The sweep in ") and told.count("\n") == 1
    assert "has model mobilevit_xxs, not resnet18" in told


def test_an_unknown_preset_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["weather", "--out", str(tmp_path)])
    assert stopped.value.code == 2
    assert "invalid choice: 'weather' (choose from" in capsys.readouterr().err


def test_configs_of_one_answer_differ_by_seed_only(
    tmp_path: Path, small_data: Fer2013, asked: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, FitConfig] = {}

    def remember(config: FitConfig, data: Fer2013, run: Path) -> tuple[dict[str, Any], float]:
        seen[run.name] = config
        return {"epochs": 1}, 0.5

    monkeypatch.setattr(sweep, "_train", remember)
    sweep.sweep(asked, small_data, tmp_path)
    assert seen["on-0"] == asked.configs["on"]
    assert seen["on-1"] == asked.configs["on"].model_copy(update={"seed": 1})
