from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fer_live.backends.engine_files import EngineName, engine_folder

NAME = EngineName("resnet18", "ab" * 32, "11.4.0.106", "NVIDIA GeForce RTX 4090-D", "89")


@pytest.fixture
def folder() -> Path:
    engine_folder().mkdir(parents=True)
    return engine_folder()


def test_name_tells_everything_that_the_engine_depends_on() -> None:
    assert str(NAME) == "resnet18-abababababababab-11.4.0.106-NVIDIA_GeForce_RTX_4090_D-89-fp16.engine"
    assert NAME.path().name == str(NAME)


@pytest.mark.parametrize("field", ["model", "onnx", "tensorrt", "gpu", "sm", "precision"])
def test_any_difference_gives_another_name(field: str) -> None:
    assert str(replace(NAME, **{field: "90"})) != str(NAME)


def test_engines_lie_in_the_cache(own_home: Path) -> None:
    assert own_home / "cache" in engine_folder().parents


def test_stale_ones_go_and_others_stay(folder: Path) -> None:
    stale = [
        replace(NAME, onnx="cd" * 32),
        replace(NAME, tensorrt="10.16.1.11"),
        replace(NAME, model="mobilevit_xxs", tensorrt="10.16.1.11"),
    ]
    kept = [
        NAME,
        replace(NAME, model="mobilevit_xxs"),
        replace(NAME, gpu="NVIDIA T4", sm="75"),
        replace(NAME, gpu="NVIDIA T4", sm="75", tensorrt="10.16.1.11"),
    ]
    for name in (*stale, *kept):
        name.path().write_bytes(b"plan")
        name.timing_cache().write_bytes(b"times")
    others = ["building.lock", "notes.txt", "my-own.engine"]
    for other in (*others, f"{NAME}.partial"):
        (folder / other).write_bytes(b"")
    NAME.remove_stale()
    timings = {name.timing_cache().name for name in kept}
    assert {path.name for path in folder.iterdir()} == {str(name) for name in kept} | timings | set(others)
