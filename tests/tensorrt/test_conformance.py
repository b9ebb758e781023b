"""Source and fakes held against the real bindings of TensorRT 10 and 11 and of CUDA 12 and 13, without a GPU."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media import write_half, write_network
from tests.tensorrt.bindings import CUDA, TENSORRT, Bindings, Missing, known
from tests.tensorrt.fake_cuda import FUNCTIONS
from tests.tensorrt.fake_tensorrt import USED
from tests.tensorrt.machine import have_gpu
from tests.tensorrt.usage import Use, cuda_uses, tensorrt_uses


@pytest.mark.parametrize("bindings", [*TENSORRT, *CUDA], ids=str)
def test_what_is_known_of_the_bindings_is_what_they_have(bindings: Bindings) -> None:
    if bindings.stub and shutil.which("cc") is None:
        pytest.skip("no C compiler to make stand-ins for TensorRT's libraries with")
    try:
        described = bindings.describe()
    except Missing as reason:
        pytest.skip(f"{bindings} cannot be looked at here: {reason}")
    assert known(bindings) == described, "`python -m tests.tensorrt.bindings` writes bindings.json anew"


_ON_REAL_BINDINGS = """
import sys
sys.path[:0] = sys.argv[1:]
import tensorrt_bindings
sys.modules["tensorrt"] = tensorrt_bindings
from fer_live.backends import engine
log = engine.EngineLog()
engine._Monitor(print).phase_start("Timing", None, 5)
log.log(engine.trt.ILogger.Severity.ERROR, "no GPU")
try:
    engine.trt.Builder(log)
except TypeError as error:
    print(engine.VERSION, log.last_error, error)
"""


@pytest.mark.parametrize(("bindings", "cuda"), list(zip(TENSORRT, CUDA, strict=True)), ids=str)
def test_source_is_imported_on_the_real_bindings(bindings: Bindings, cuda: Bindings) -> None:
    """Also that what is derived from NVIDIA's classes can be made and handed to them."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make stand-ins for TensorRT's libraries with")
    try:
        folders = [str(bindings.folder()), str(cuda.folder())]
    except Missing as reason:
        pytest.skip(f"{bindings} cannot be looked at here: {reason}")
    run = subprocess.run([sys.executable, "-c", _ON_REAL_BINDINGS, *folders], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "Timing 0 5",
        f"{bindings.version} no GPU pybind11::init(): factory function returned nullptr",
    ]


_ON_STAND_IN = """
import ctypes, sys
sys.path.insert(0, sys.argv[1])
from fer_live.backends.cuda import Gpu
from fer_live.backends.nvidia import cuda_of_driver, driver_refusal
from fer_live.errors import BackendError
print(driver_refusal(), cuda_of_driver())
with Gpu() as gpu:
    print(gpu.facts.name, gpu.facts.sm)
    buffer = gpu.buffer((3, 2))
    up, down = gpu.capture(lambda: gpu.upload(buffer, 2)), gpu.capture(lambda: gpu.download(buffer, 2))
    buffer.host[:] = 5
    gpu.launch(up)
    buffer.host[:] = 0
    gpu.launch(down)
    gpu.wait()
    print(buffer.host.tolist())
    try:
        gpu.memory(0)
    except BackendError as error:
        print(error.message)
print(ctypes.CDLL("libcuda.so.1").alive())
"""


@pytest.mark.parametrize("cuda", CUDA, ids=str)
def test_real_cuda_bindings_take_and_give_what_the_source_expects(cuda: Bindings, tmp_path: Path) -> None:
    if shutil.which("cc") is None or sys.platform != "linux":
        pytest.skip("no C compiler to make a stand-in for NVIDIA's driver with, or not Linux")
    try:
        folder = cuda.folder()
    except Missing as reason:
        pytest.skip(f"{cuda} cannot be looked at here: {reason}")
    source, name = Path(__file__).with_name("driver.c"), "libcuda.so.1"
    linked = ["-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", str(tmp_path / name), str(source), "-ldl"]
    subprocess.run(["cc", *linked], check=True)
    run = subprocess.run(
        [sys.executable, "-c", _ON_STAND_IN, str(folder)],
        capture_output=True,
        text=True,
        env=os.environ | {"LD_LIBRARY_PATH": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        "None 12",
        "NVIDIA Stand-in 89",
        "[[5.0, 5.0], [5.0, 5.0], [0.0, 0.0]]",
        "The GPU refused cuMemAlloc (CUDA_ERROR_INVALID_VALUE).",
        "0",
    ]


@pytest.mark.parametrize("bindings", TENSORRT, ids=str)
def test_source_uses_only_what_tensorrt_has(bindings: Bindings) -> None:
    has = known(bindings)
    for use in tensorrt_uses(has):
        _require(use, has, bindings)


@pytest.mark.parametrize("bindings", CUDA, ids=str)
def test_source_uses_only_what_cuda_has(bindings: Bindings) -> None:
    has = known(bindings)
    for use in cuda_uses():
        _require(use, has, bindings)
        if use.member.startswith("cu"):
            assert use.unnamed == len(has[use.member]["takes"]), f"{bindings}: {use}"


def _require(use: Use, has: dict[str, Any], bindings: Bindings) -> None:
    if not use.owner:
        assert use.member in has or use.member == "__version__", f"{bindings} is not known to have {use.member}"
        return
    assert use.member in has[use.owner], f"{bindings}: {use.owner} has no {use.member}"
    if use.unnamed is not None:
        takes = has[use.owner][use.member]["takes"]
        assert set(use.named) <= set(takes), f"{bindings}: {use}"
        assert use.unnamed + len(use.named) <= len(takes), f"{bindings}: {use}"


@pytest.mark.parametrize("bindings", TENSORRT, ids=str)
def test_no_use_escapes_the_reading_of_the_source(
    bindings: Bindings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the fakes see when everything runs is what was read: nothing in engine.py goes unheld."""
    world = have_gpu(monkeypatch, bindings)
    weights = write_network(tmp_path / "tiny.onnx")
    write_half(weights)
    from fer_live.backends.build_engine import build_engine
    from fer_live.backends.registry import open_backend

    USED.clear()
    world.parse_errors = ("a node is unknown",)
    with pytest.raises(Exception, match="a node is unknown"):
        build_engine(weights)
    world.parse_errors = ()
    build_engine(weights)
    with open_backend("tensorrt", weights) as backend:
        backend.infer(np.zeros((3, 1, 48, 48), np.float32))
    has = known(bindings)
    enums = {name for name, members in has.items() if all(isinstance(each, int) for each in members.values())}
    # Fakes note no constructor, and messages come only where something fails.
    unseen = {("ILogger", "Severity"), ("ILogger", "log"), ("ILogger", "__init__"), ("IProgressMonitor", "__init__")}
    read = {(use.owner, use.member) for use in tensorrt_uses(has) if use.owner and use.owner not in enums}
    assert USED - unseen == read - unseen


def test_fake_cuda_takes_what_the_real_one_takes() -> None:
    for bindings in CUDA:
        for function in FUNCTIONS:
            takes = list(inspect.signature(function).parameters)[1:]
            assert takes == known(bindings)[function.__name__]["takes"], f"{bindings}: {function.__name__}"


def test_fake_tensorrt_refuses_what_the_real_one_lacks() -> None:
    from tests.tensorrt.fake_tensorrt import Builder, IBuilderConfig

    with pytest.raises(AttributeError):
        Builder.platform_has_fast_fp16  # noqa: B018
    with pytest.raises(AssertionError, match="IBuilderConfig has no max_workspace_size"):
        IBuilderConfig(None).max_workspace_size = 1  # type: ignore[arg-type]


def test_flags_are_never_numbers() -> None:
    """STRONGLY_TYPED is 1 in version 10 and 0 in version 11."""
    flags = [known(bindings)["NetworkDefinitionCreationFlag"]["STRONGLY_TYPED"] for bindings in TENSORRT]
    assert flags == [1, 0]
    assert Use("NetworkDefinitionCreationFlag", "STRONGLY_TYPED") in tensorrt_uses(known(TENSORRT[0]))
