from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fer_live.core.modelcard import ModelCard, load_card, load_verified_card, sha256_of
from fer_live.errors import TrainingError
from training import promote as module
from training.promote import promote


def finished(run: Path, accuracy: float, digest: str = "same") -> ModelCard:
    """A run's folder with stand-ins for weights, whose content is their accuracy."""
    run.mkdir(exist_ok=True)
    files = [run / "net.safetensors", run / "net.onnx"]
    for file in files:
        file.write_text(f"{file.suffix} {accuracy} {digest}")
    card = ModelCard(
        name="net",
        labels=("happy", "sad"),
        files={file.name: sha256_of(file) for file in files},
        data={"digest": digest},
        validation={"accuracy": accuracy},
    )
    (run / "net.json").write_text(card.model_dump_json())
    return card


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with weights of 60 % in place."""
    out = tmp_path / "out"
    out.mkdir()
    promote(tmp_path / "old", finished(tmp_path / "old", 0.60), out, force=False)
    return out


def accuracy_in(out: Path) -> float:
    return float(load_verified_card(out / "net.onnx").validation["accuracy"])


def test_better_weights_replace(run: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promote(run, finished(run, 0.61), out, force=False)
    assert accuracy_in(out) == 0.61
    assert sorted(os.listdir(out)) == ["net.json", "net.onnx", "net.safetensors"]
    assert "0.6100 replaces 0.6000\n" in capsys.readouterr().out


@pytest.mark.parametrize("accuracy", [0.60, 0.59])
def test_weights_that_are_no_better_are_refused(run: Path, out: Path, accuracy: float) -> None:
    card = finished(run, accuracy, "other rows") if accuracy == 0.60 else finished(run, accuracy)
    with pytest.raises(
        TrainingError, match=r"weights in '.*out' stay.*lie in '.*run'; --force puts them in place"
    ):
        promote(run, card, out, force=False)
    assert load_verified_card(out / "net.onnx").data["digest"] == "same"
    assert accuracy_in(out) == 0.60


def test_force_replaces_better_weights(run: Path, out: Path) -> None:
    promote(run, finished(run, 0.1), out, force=True)
    assert accuracy_in(out) == 0.1


def test_another_copy_of_the_data_is_mentioned(
    run: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promote(run, finished(run, 0.61, "other rows"), out, force=False)
    assert "replaces 0.6000, measured on another copy of the data" in capsys.readouterr().out


def test_the_same_weights_again_leave_the_card_alone(run: Path, out: Path) -> None:
    before = (out / "net.json").stat().st_ino
    promote(run, finished(run, 0.60), out, force=False)
    assert (out / "net.json").stat().st_ino == before


def test_an_int8_network_made_of_the_same_weights_stays(run: Path, out: Path) -> None:
    (out / "net.int8.onnx").write_text("int8")
    card = load_card(out / "net.json")
    files = card.files | {"net.int8.onnx": sha256_of(out / "net.int8.onnx")}
    (out / "net.json").write_text(card.model_copy(update={"files": files}).model_dump_json())
    promote(run, finished(run, 0.60), out, force=False)
    assert load_verified_card(out / "net.int8.onnx").files == files


def test_card_that_cannot_be_compared_needs_force(run: Path, out: Path) -> None:
    (out / "net.json").write_text("{}")
    card = finished(run, 0.9)
    with pytest.raises(TrainingError, match=r"does not say how good its weights are.*--force"):
        promote(run, card, out, force=False)
    promote(run, card, out, force=True)
    assert accuracy_in(out) == 0.9


def test_card_is_written_last(run: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, written = module.replace_file, []

    def failing(path: Path, content: bytes, hint: str) -> None:
        if path.suffix == ".onnx":
            raise TrainingError(f"'{path}' cannot be written.", hint)
        written.append(path.name)
        real(path, content, hint)

    monkeypatch.setattr(module, "replace_file", failing)
    with pytest.raises(TrainingError, match="new weights lie in"):
        promote(run, finished(run, 0.9), out, force=False)
    assert written == ["net.safetensors"]
    assert load_card(out / "net.json").validation == {"accuracy": 0.60}


def test_fit_has_put_its_run_in_place(trained: Any) -> None:
    for name in ("mobilevit_xxs.onnx", "mobilevit_xxs.safetensors", "mobilevit_xxs.json"):
        assert (trained.out / name).read_bytes() == (trained.run / name).read_bytes()
