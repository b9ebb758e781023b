from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_live.errors import TrainingError
from training.config import FitConfig
from training.dataset import Fer2013, Split
from training.fit import main
from training.networks import build
from training.teacher import taught_targets
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
