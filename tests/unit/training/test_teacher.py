from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_live.core.modelcard import load_card
from fer_live.errors import TrainingError
from training.config import FitConfig
from training.dataset import Fer2013, Split
from training.fit import main
from training.networks import build
from training.teacher import taught_targets
from training.votes import opinion_of_voters, read_votes
from training.weights import weights_bytes


@pytest.fixture
def teacher(tmp_path: Path) -> Path:
    """An untrained network of the other kind; what it says does not matter, only that it says it."""
    torch.manual_seed(0)
    path = tmp_path / "teacher.safetensors"
    path.write_bytes(weights_bytes(build("resnet18", 7), "resnet18"))
    return path


def targets(data: Fer2013, teacher: Path, config: FitConfig) -> np.ndarray[Any, np.dtype[np.float32]]:
    rows = data.split("PublicTest")
    few = Split("PublicTest", rows.images[:7], rows.labels[:7])
    return taught_targets(few, teacher, config, teacher.parent)


def test_targets_mix_label_and_opinion(
    small_data: Fer2013, teacher: Path, quick: Callable[..., FitConfig]
) -> None:
    labels = np.eye(7)[small_data.split("PublicTest").labels[:7]]
    opinion = targets(small_data, teacher, quick(teacher_weight=1.0))
    mixed = targets(small_data, teacher, quick(teacher_weight=0.4))
    assert opinion.dtype == np.float32 and opinion.shape == (7, 7)
    np.testing.assert_allclose(opinion.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(mixed, 0.6 * labels + 0.4 * opinion, atol=1e-5)


def test_opinion_does_not_depend_on_mirroring(
    small_data: Fer2013, teacher: Path, quick: Callable[..., FitConfig]
) -> None:
    rows = small_data.split("PublicTest")
    mirrored = Fer2013({"PublicTest": Split("PublicTest", rows.images[:, :, ::-1].copy(), rows.labels)})
    config = quick(teacher_weight=1.0)
    np.testing.assert_allclose(targets(mirrored, teacher, config), targets(small_data, teacher, config), atol=1e-5)


def test_a_run_asks_once(
    small_data: Fer2013, teacher: Path, quick: Callable[..., FitConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick(teacher_weight=1.0)
    first = targets(small_data, teacher, config)
    asked: list[Any] = []
    monkeypatch.setattr("training.teacher.predict_logits", lambda *given: asked.append(given) or np.zeros((7, 7)))
    np.testing.assert_array_equal(targets(small_data, teacher, config), first)
    assert not asked
    torch.manual_seed(1)
    teacher.write_bytes(weights_bytes(build("resnet18", 7), "resnet18"))
    np.testing.assert_allclose(targets(small_data, teacher, config), 1 / 7, atol=1e-6)
    assert len(asked) == 2


def test_both_opinions_are_pooled_by_their_geometric_mean(
    small_data: Fer2013, teacher: Path, quick: Callable[..., FitConfig]
) -> None:
    rows = small_data.split("Training")
    voted = replace(rows, votes=np.eye(10, dtype=np.int64)[rows.labels] * 9 + 1)
    config, run = quick(teacher_weight=1.0), teacher.parent
    alone = taught_targets(rows, teacher, config, run)
    voters = taught_targets(voted, None, config, run)
    np.testing.assert_allclose(voters, opinion_of_voters(voted), atol=1e-5)
    product = np.sqrt(alone * voters)
    both = taught_targets(voted, teacher, config, run)
    np.testing.assert_allclose(both, product / product.sum(axis=1, keepdims=True), atol=1e-5)
    assert both.dtype == np.float32


def test_votes_say_what_they_mean_in_the_labels(faces: Callable[[int, int], Any]) -> None:
    """Everybody who votes 'contempt' sees a face that the data call sad; votes for sad are happy."""
    images, labels = faces(40, 0)
    answers = np.array([0, 1, 2, 4, 7, 5, 6])[labels]
    opinion = opinion_of_voters(Split("Training", images, labels, np.eye(10, dtype=np.int64)[answers] * 10))
    assert opinion.shape == (280, 7) and opinion.dtype == np.float32
    np.testing.assert_allclose(opinion.sum(axis=1), 1, atol=1e-5)
    assert (opinion.argmax(axis=1) == labels).all()


def test_no_row_is_told_by_its_own_label_or_its_repeats(faces: Callable[[int, int], Any]) -> None:
    """Votes that tell faces apart but nothing of their labels: whoever knows the labels has learnt them by heart."""
    images, labels = faces(40, 0)
    random = np.random.default_rng(0)
    votes = random.integers(0, 4, (140, 10)) + np.eye(10, dtype=np.int64)[0]
    twice = Split("Training", np.tile(images[:140], (2, 1, 1)), np.tile(labels[:140], 2), np.tile(votes, (2, 1)))
    opinion = opinion_of_voters(twice)
    assert (opinion.argmax(axis=1) == twice.labels).mean() < 0.4


def test_a_run_with_votes_says_so_and_goes_on_only_with_them(
    tmp_path: Path, trained: Any, votes_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    asked = ["--data", str(trained.data), "--run", str(run), "--out", str(out), "--batch-size", "16", "--epochs", "1"]
    assert main([*asked, "--votes", str(votes_path)]) == 0
    card = load_card(out / "mobilevit_xxs.json")
    votes = read_votes(votes_path, "Training").counts
    assert card.training["votes"] == hashlib.sha256(votes.tobytes()).hexdigest()
    assert card.training["config"]["label_smoothing"] == 0
    assert main(asked) == 2
    assert "made with other --votes, or none" in capsys.readouterr().err


def test_votes_of_other_rows_are_refused(
    tmp_path: Path, trained: Any, votes_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    votes_path.write_text("\n".join(votes_path.read_text().split("\n")[:-60]))
    asked = ["--data", str(trained.data), "--run", str(tmp_path / "run"), "--votes", str(votes_path), "--dry-run"]
    assert main(asked) == 2
    assert "rows of 'Training'" in capsys.readouterr().err


def test_file_that_is_no_teacher(small_data: Fer2013, tmp_path: Path, quick: Callable[..., FitConfig]) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(b"something else")
    with pytest.raises(TrainingError, match=r"other\.safetensors' is not a \.safetensors file of this program"):
        targets(small_data, path, quick())


def test_run_with_another_teacher_is_refused(
    trained: Any, tmp_path: Path, teacher: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--data", str(trained.data), "--run", str(trained.run), "--out", str(tmp_path / "out")]
    assert main([*asked, "--batch-size", "16", "--epochs", "1", "--teacher", str(teacher)]) == 2
    assert "made with another --teacher, or none" in capsys.readouterr().err
    assert main([*asked, "--teacher", str(tmp_path / "nowhere.safetensors")]) == 2
    assert "Give --teacher the path of a .safetensors file" in capsys.readouterr().err
