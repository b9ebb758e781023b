from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fer_live.errors import TrainingError
from training.checkpoint import Progress, save_checkpoint
from training.config import FitConfig
from training.networks import build
from training.runs import ORIGIN_FILE, git_revision, remember_origin, start_or_resume
from training.weights import as_stored, weights_bytes


@pytest.fixture
def begun(tmp_path: Path, quick: Callable[..., FitConfig]) -> Path:
    """A folder with a checkpoint of a run at step 0."""
    remember_origin(tmp_path, "digest", None)
    learner, progress = start_or_resume(quick(), tmp_path)
    save_checkpoint(tmp_path, learner, progress)
    return tmp_path


def test_new_run_starts_from_its_seed(tmp_path: Path, quick: Callable[..., FitConfig]) -> None:
    learner, progress = start_or_resume(quick(seed=5), tmp_path)
    torch.manual_seed(5)
    expected = build("mobilevit_xxs", 7).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in learner.network.state_dict().items())
    assert progress == Progress()


def test_new_run_starts_from_given_weights(tmp_path: Path, quick: Callable[..., FitConfig]) -> None:
    torch.manual_seed(9)
    given = build("mobilevit_xxs", 7)
    given.load_state_dict(as_stored(given))
    init = tmp_path / "init.safetensors"
    init.write_bytes(weights_bytes(given, "mobilevit_xxs"))
    learner, _ = start_or_resume(quick(), tmp_path / "run", init)
    averaged = learner.average.module.state_dict()
    for name, tensor in given.state_dict().items():
        assert torch.equal(learner.network.state_dict()[name], tensor)
        assert torch.equal(averaged[name], tensor)


def test_other_settings_are_refused_by_name(begun: Path, quick: Callable[..., FitConfig]) -> None:
    with pytest.raises(
        TrainingError, match=r"other settings \(epochs, learning_rate\)\. Choose another --run"
    ):
        start_or_resume(quick(epochs=9, learning_rate=0.5), begun)


def test_precision_of_a_run_stays_what_it_was(begun: Path, quick: Callable[..., FitConfig]) -> None:
    learner, _ = start_or_resume(quick(precision="auto"), begun)
    assert learner.config.precision == "fp32"


def test_origin_is_written_once(tmp_path: Path) -> None:
    origin = remember_origin(tmp_path, "digest", None)
    stored = json.loads((tmp_path / ORIGIN_FILE).read_text())
    assert stored["data_digest"] == origin.data_digest == "digest"
    assert stored["git_revision"] == git_revision()
    assert set(stored["versions"]) == {"python", "torch", "torchvision", "timm"}


def test_origin_of_a_begun_run_is_kept(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (begun / ORIGIN_FILE).read_bytes()
    monkeypatch.setattr("training.runs.git_revision", lambda: "another")
    remember_origin(begun, "digest", None)
    assert (begun / ORIGIN_FILE).read_bytes() == before


def test_other_data_are_refused(begun: Path) -> None:
    with pytest.raises(TrainingError, match="made from another data set"):
        remember_origin(begun, "other", None)


def test_other_initial_weights_are_refused(begun: Path, tmp_path: Path) -> None:
    init = tmp_path / "init.safetensors"
    init.write_bytes(b"weights")
    with pytest.raises(TrainingError, match="did not start from"):
        remember_origin(begun, "digest", init)


def test_missing_initial_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no weights at '.*nowhere\.safetensors'"):
        remember_origin(tmp_path, "digest", tmp_path / "nowhere.safetensors")


def test_checkpoint_without_an_origin_claims_no_revision(begun: Path) -> None:
    (begun / ORIGIN_FILE).unlink()
    assert remember_origin(begun, "digest", None).git_revision is None


def test_damaged_origin_is_named(begun: Path) -> None:
    (begun / ORIGIN_FILE).write_text("{}")
    with pytest.raises(TrainingError, match=rf"{ORIGIN_FILE}' does not say"):
        remember_origin(begun, "digest", None)
