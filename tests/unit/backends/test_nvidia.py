from __future__ import annotations

import ctypes
import re

import pytest

from fer_live.backends.nvidia import cuda_of_driver, driver_refusal
from tests.tensorrt.machine import have_driver


def test_driver_with_a_gpu_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    have_driver(monkeypatch)
    assert driver_refusal() is None


@pytest.mark.parametrize(
    ("gpus", "init", "reason"),
    [(0, 0, "finds no GPU"), (0, 100, "finds no GPU"), (1, 999, r"does not start .*gives 999")],
)
def test_driver_that_cannot_be_used_says_why(
    gpus: int, init: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_driver(monkeypatch, gpus, init)
    assert re.search(reason, driver_refusal() or "")


@pytest.mark.parametrize(("version", "major"), [(12080, 12), (13000, 13)])
def test_driver_says_which_cuda_it_can_serve(version: int, major: int, monkeypatch: pytest.MonkeyPatch) -> None:
    have_driver(monkeypatch, cuda=version)
    assert cuda_of_driver() == major


def test_no_driver_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert driver_refusal() == "no NVIDIA driver is installed here"
