"""A machine with a fake NVIDIA GPU, for as long as a test lasts."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from fer_live.backends import nvidia
from tests.tensorrt.bindings import Bindings
from tests.tensorrt.fake_cuda import FakeDriver
from tests.tensorrt.fake_tensorrt import World, fake_modules

_WITH_RUNTIME = ("fer_live.backends.engine", "fer_live.backends.cuda")


def have_gpu(patch: pytest.MonkeyPatch, bindings: Bindings, gpu: str = "NVIDIA Fake 9000") -> World:
    """Installs a fake driver and a fake TensorRT of one version, until the patch is undone."""
    driver = FakeDriver(gpu)
    modules, world = fake_modules(bindings, driver)
    have_driver(patch)
    for name, module in modules.items():
        patch.setitem(sys.modules, name, module)
    for name in _WITH_RUNTIME:
        # Imported anew on the fakes, and forgotten afterwards.
        patch.setitem(sys.modules, name, sys)
        del sys.modules[name]
    return world


def have_driver(patch: pytest.MonkeyPatch, gpus: int = 1, init: int = 0, cuda: int = 13040) -> None:
    """Installs what ctypes finds of a driver. init: what cuInit gives. cuda: its newest version of CUDA."""

    def count_devices(pointer: Any) -> int:
        pointer._obj.value = gpus
        return 0

    def tell_version(pointer: Any) -> int:
        pointer._obj.value = cuda
        return 0

    library = SimpleNamespace(
        cuInit=lambda flags: init, cuDeviceGetCount=count_devices, cuDriverGetVersion=tell_version
    )
    load = ctypes.CDLL
    found = lambda name, *rest, **more: library if name == nvidia._LIBRARY else load(name, *rest, **more)  # noqa: E731
    patch.setattr(ctypes, "CDLL", found)
