"""Tests on a real GPU: `make test-gpu`, or `pytest tests/gpu -m gpu`. Asked for like that, no GPU is a failure."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.backends.registry import find_weights, probe, shipped_models
from fer_live.core.modelcard import card_path, half_path, load_card, sha256_of


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "gpu" not in config.option.markexpr:
        skip = pytest.mark.skip(reason="needs an NVIDIA GPU with TensorRT; `make test-gpu` runs it there")
        for item in items:
            if item.get_closest_marker("gpu") is not None:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all GPU tests share, since an engine takes minutes to build."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(autouse=True)
def shared_cache(own_home: Path, engine_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(engine_home))


@pytest.fixture(scope="session", params=shipped_models())
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shipped network with its float16 one, which is exported here if it is not shipped."""
    refusal = probe("tensorrt").reason
    assert not refusal, f"TensorRT cannot run here: {refusal}"
    shipped = find_weights(request.param)
    if half_path(shipped).is_file():
        return shipped
    folder = tmp_path_factory.mktemp("weights")
    copy = folder / shipped.name
    shutil.copy(shipped, copy)
    half_path(copy).write_bytes(_exported_half(request.param))
    card = load_card(card_path(shipped))
    files = {path.name: sha256_of(path) for path in (copy, half_path(copy))}
    card_path(copy).write_text(card.model_copy(update={"files": files}).model_dump_json())
    return copy


def _exported_half(name: str) -> bytes:
    from training.export import onnx_bytes
    from training.networks import Classifier, HalfClassifier, build
    from training.weights import load_weights

    safetensors = find_weights(name).with_suffix(".safetensors")
    card = load_card(card_path(safetensors))
    network = build(name, len(card.labels))
    load_weights(network, name, safetensors)
    return onnx_bytes(HalfClassifier(Classifier(network, card.temperature).eval()).eval())


@pytest.fixture
def built(weights: Path, shared_cache: None) -> Path:
    """A network whose engine is there, built by the program that the window would run."""
    command = [sys.executable, "-m", "fer_live.backends.build_engine", str(weights)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return weights
