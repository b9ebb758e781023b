from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_live.core.modelcard import load_card, sha256_of
from fer_live.errors import ModelError
from training import evaluate
from training.dataset import load_fer2013
from training.ensemble import main
from training.metrics import measure
from training.networks import build
from training.prediction import cards_of_ensemble, fer2013_card, predict, predict_mean
from training.weights import weights_bytes


@pytest.fixture
def other(tmp_path: Path, trained: Any) -> Path:
    """Weights of another network, ResNet18 as it is before training, with a card of their own."""
    path = tmp_path / "resnet18.safetensors"
    path.write_bytes(weights_bytes(build("resnet18", 7), "resnet18"))
    changes = {"name": "resnet18", "files": {path.name: sha256_of(path)}, "temperature": 1.0}
    card = load_card(trained.out / "mobilevit_xxs.json").model_copy(update=changes)
    path.with_suffix(".json").write_text(card.model_dump_json())
    return path


def asked(trained: Any, *weights: Path) -> list[str]:
    return ["--weights", *map(str, weights), "--data", str(trained.data)]


def test_one_file_is_what_evaluate_says(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*asked(trained, trained.out / "mobilevit_xxs.onnx"), "--tta", "flip"]
    for more in ([], ["--json"]):
        assert evaluate.main([*options, *more]) == 0
        alone = capsys.readouterr().out
        assert main([*options, *more]) == 0
        assert capsys.readouterr().out == alone


def test_two_networks_are_the_mean_of_their_probabilities(
    trained: Any, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = trained.out / "mobilevit_xxs.onnx"
    data = load_fer2013(trained.data)
    rows = data.split("PublicTest")
    answers = [predict(path, fer2013_card(path), rows.images) for path in (first, other)]
    mean = (answers[0] + answers[1]) / 2
    assert np.abs(answers[0] - answers[1]).max() > 0.01
    got = predict_mean([first, other], cards_of_ensemble([first, other]), rows.images)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, mean, atol=1e-6)

    assert main([*asked(trained, first, other), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    expected = measure(mean, rows.labels, load_card(first.with_suffix(".json")).labels, np.arange(len(rows)) == 0)
    assert (record["model"], record["usage"], record["n"]) == ("mobilevit_xxs+resnet18", "PublicTest", 28)
    assert record["accuracy_ci95"] == expected["accuracy_ci95"]
    assert record["confusion_matrix"] == expected["confusion_matrix"]
    assert record["ece"] == pytest.approx(expected["ece"], abs=1e-5)
    assert record["without_training_duplicates"]["n"] == 27


def test_table_has_the_figures_of_an_evaluation(
    trained: Any, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked(trained, trained.out / "mobilevit_xxs.safetensors", other), "--usage", "PrivateTest"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("mobilevit_xxs+resnet18 on PrivateTest\n")
    assert "95 % interval" in table and "also in Training" in table


def test_other_label_order_is_refused_by_name(
    trained: Any, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = load_card(other.with_suffix(".json"))
    turned = card.model_copy(update={"labels": card.labels[1:] + card.labels[:1]})
    other.with_suffix(".json").write_text(turned.model_dump_json())
    first = trained.out / "mobilevit_xxs.onnx"
    with pytest.raises(ModelError, match="different orders"):
        cards_of_ensemble([first, first, other])
    assert main(asked(trained, first, other)) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    assert str(first) in captured.err and str(other) in captured.err


def test_bad_weights_are_named(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(trained.out / "mobilevit_xxs.onnx", tmp_path)
    assert main(asked(trained, trained.out / "mobilevit_xxs.onnx", tmp_path / "mobilevit_xxs.onnx")) == 2
    assert f"'{tmp_path / 'mobilevit_xxs.json'}' cannot be read" in capsys.readouterr().err
