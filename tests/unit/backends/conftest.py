from __future__ import annotations

from pathlib import Path

import pytest

from tests.media import write_half, write_network
from tests.tensorrt.bindings import TENSORRT
from tests.tensorrt.fake_tensorrt import World
from tests.tensorrt.machine import have_gpu


@pytest.fixture(params=TENSORRT, ids=str)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    """A machine with a fake GPU and a fake TensorRT of either version."""
    return have_gpu(monkeypatch, request.param)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A tiny network with its float16 one."""
    path = write_network(tmp_path / "tiny.onnx")
    write_half(path)
    return path
