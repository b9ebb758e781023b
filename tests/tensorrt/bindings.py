"""The real bindings of TensorRT and CUDA, as `describe.py` describes them, kept in bindings.json.

`python -m tests.tensorrt.bindings` fetches the wheels named here and writes that file anew.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

_HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("FER_LIVE_TEST_CACHE") or platformdirs.user_cache_path("fer-live-tests"))
_TENSORRT_NAMES = (
    *("Builder", "DataType", "ExecutionContextAllocationStrategy", "IBuilderConfig", "ICudaEngine"),
    *("IExecutionContext", "IHostMemory", "ILayer", "ILogger", "ILogger.Severity", "INetworkDefinition"),
    *("LayerType", "IOptimizationProfile", "IProgressMonitor", "ITensor", "ITimingCache", "MemoryPoolType"),
    *("NetworkDefinitionCreationFlag", "OnnxParser", "ParserError", "Runtime", "TensorIOMode"),
)
_CUDA_NAMES = (
    *("CUdevice_attribute", "CUresult", "CUstreamCaptureMode", "CUstream_flags", "cuCtxSetCurrent", "cuDeviceGet"),
    *("cuDeviceGetAttribute", "cuDeviceGetName", "cuDevicePrimaryCtxRelease", "cuDevicePrimaryCtxRetain"),
    *("cuGraphDestroy", "cuGraphExecDestroy", "cuGraphInstantiate", "cuGraphLaunch", "cuInit", "cuMemAlloc"),
    *("cuMemAllocHost", "cuMemFree", "cuMemFreeHost", "cuMemcpyDtoHAsync", "cuMemcpyHtoDAsync"),
    *("cuStreamBeginCapture", "cuStreamCreate", "cuStreamDestroy", "cuStreamEndCapture", "cuStreamSynchronize"),
)


@dataclass(frozen=True)
class Bindings:
    """One version of one package. stub: major version of the TensorRT libraries to stand in for."""

    name: str
    version: str
    module: str
    names: tuple[str, ...]
    also: tuple[str, ...] = field(default=())
    stub: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    def folder(self) -> Path:
        """Where the real package can be imported from; raises Missing with the reason if it cannot be had here."""
        return _fetched(f"{self.name}=={self.version}", self.also, self.stub)

    def describe(self) -> dict[str, Any]:
        """What the real package has; raises Missing."""
        program = str(_HERE / "describe.py")
        command = [sys.executable, "-I", "-S", program, str(self.folder()), self.module, *self.names]
        described: dict[str, Any] = json.loads(_output(command))
        return described


TENSORRT = (
    Bindings("tensorrt-cu12-bindings", "10.16.1.11", "tensorrt_bindings", _TENSORRT_NAMES, stub="10"),
    Bindings("tensorrt-cu13-bindings", "11.4.0.106", "tensorrt_bindings", _TENSORRT_NAMES, stub="11"),
)
CUDA = (
    Bindings("cuda-bindings", "12.9.10", "cuda.bindings.driver", _CUDA_NAMES, also=("cuda-pathfinder",)),
    Bindings("cuda-bindings", "13.4.4", "cuda.bindings.driver", _CUDA_NAMES, also=("cuda-pathfinder",)),
)


class Missing(Exception):
    """Real bindings cannot be had on this machine."""


@cache
def known(bindings: Bindings) -> dict[str, Any]:
    """What bindings.json says of a package."""
    described: dict[str, Any] = json.loads((_HERE / "bindings.json").read_text())[str(bindings)]
    return described


def _fetched(requirement: str, also: Sequence[str], stub: str) -> Path:
    """A folder that holds the unpacked wheels, with stubs for TensorRT's libraries; made once."""
    folder = _CACHE / requirement.replace("==", "-")
    if folder.is_dir():
        return folder
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        for each in (requirement, *also):
            _output([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(partial), each])
        for wheel in partial.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(partial)
            wheel.unlink()
        if stub:
            _output(["sh", str(_HERE / "make_stub.sh"), str(partial), stub])
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _output(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise Missing(f"`{' '.join(command[:4])} ...` failed: {run.stderr.strip()[-300:]}")
    return run.stdout


def main() -> None:
    """Writes bindings.json, a line for each class or function."""
    blocks = []
    for bindings in (*TENSORRT, *CUDA):
        lines = [f'"{name}": {json.dumps(has)}' for name, has in bindings.describe().items()]
        blocks.append(f'"{bindings}": {{\n' + ",\n".join(lines) + "\n}")
    (_HERE / "bindings.json").write_text("{\n" + ",\n".join(blocks) + "\n}\n")


if __name__ == "__main__":
    main()
