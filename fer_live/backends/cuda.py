"""The first GPU through cuda-python: memory on both sides, one stream, graphs.

To be imported where nvidia.driver_refusal() gives None and cuda-python is installed.
"""

from __future__ import annotations

import ctypes
import logging
import math
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from cuda.bindings import driver
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.errors import BackendError

log = logging.getLogger(__name__)

_NAME_BYTES = 256


@dataclass(frozen=True)
class Buffer:
    """The same numbers twice: host, float32 in pinned memory, and address, of device memory as large."""

    host: NDArray[np.float32]
    address: int

    def bytes_of(self, rows: int) -> int:
        """Size of the first rows."""
        return self.host[:rows].nbytes


@dataclass(frozen=True)
class GpuFacts:
    """name: as the driver gives it. sm: compute capability, such as '90'."""

    name: str
    sm: str


def first_gpu() -> GpuFacts:
    """What the first GPU is; raises BackendError."""
    _call(driver.cuInit, 0)
    device = _call(driver.cuDeviceGet, 0)
    kinds = driver.CUdevice_attribute
    major = _call(driver.cuDeviceGetAttribute, kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device)
    minor = _call(driver.cuDeviceGetAttribute, kinds.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device)
    name = _call(driver.cuDeviceGetName, _NAME_BYTES, device)
    return GpuFacts(name.split(b"\0")[0].decode(), f"{major}{minor}")


class Gpu(Closing):
    """The first GPU's primary context, which TensorRT takes too, one stream, and all that is made on them.

    Everything here raises BackendError where the driver refuses. One thread at a time may use it, after
    make_current() on that thread.
    """

    def __init__(self) -> None:
        self.facts = first_gpu()
        device = _call(driver.cuDeviceGet, 0)
        with ExitStack() as held:
            self._context = _call(driver.cuDevicePrimaryCtxRetain, device)
            held.callback(_free, driver.cuDevicePrimaryCtxRelease, device)
            # Whatever uses the GPU on this thread afterwards must not find a context that is gone.
            held.callback(_free, driver.cuCtxSetCurrent, None)
            self.make_current()
            self._stream = _call(driver.cuStreamCreate, driver.CUstream_flags.CU_STREAM_NON_BLOCKING)
            held.callback(_free, driver.cuStreamDestroy, self._stream)
            self._held = held.pop_all()
        self._is_closed = False

    @property
    def stream(self) -> int:
        """The stream's handle."""
        return int(self._stream)

    def make_current(self) -> None:
        """Makes the calling thread the one that uses this GPU."""
        _call(driver.cuCtxSetCurrent, self._context)

    def memory(self, size: int) -> int:
        """Address of so many bytes of device memory, freed by close()."""
        pointer = _call(driver.cuMemAlloc, size)
        self._held.callback(_free, driver.cuMemFree, pointer)
        return int(pointer)

    def buffer(self, shape: tuple[int, ...]) -> Buffer:
        """Memory for float32 of a shape on both sides, freed by close(); no view of it may be used afterwards."""
        count = math.prod(shape)
        size = count * np.dtype(np.float32).itemsize
        pointer = _call(driver.cuMemAllocHost, size)
        self._held.callback(_free, driver.cuMemFreeHost, pointer)
        host = np.ctypeslib.as_array((ctypes.c_float * count).from_address(int(pointer)))
        return Buffer(host.reshape(shape), self.memory(size))

    def upload(self, buffer: Buffer, rows: int) -> None:
        """Queues a copy of the first rows to the device."""
        _call(driver.cuMemcpyHtoDAsync, buffer.address, buffer.host.ctypes.data, buffer.bytes_of(rows), self._stream)

    def download(self, buffer: Buffer, rows: int) -> None:
        """Queues a copy of the first rows from the device."""
        _call(driver.cuMemcpyDtoHAsync, buffer.host.ctypes.data, buffer.address, buffer.bytes_of(rows), self._stream)

    def before_freeing(self, release: Callable[[], None]) -> None:
        """Has close() call release() when all that was made after this is freed, and nothing that was made before."""
        self._held.callback(release)

    def wait(self) -> None:
        """Waits until all that is queued is done."""
        _call(driver.cuStreamSynchronize, self._stream)

    def capture(self, queue: Callable[[], None]) -> Any:
        """What queue() puts on the stream, as a graph for launch(); nothing of it runs now. Freed by close()."""
        # Another thread may be using the GPU through ONNX Runtime meanwhile.
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        _call(driver.cuStreamBeginCapture, self._stream, mode)
        with ExitStack() as unfinished:
            unfinished.callback(self._abandon_capture)
            queue()
            unfinished.pop_all()
        recorded = _call(driver.cuStreamEndCapture, self._stream)
        try:
            graph = _call(driver.cuGraphInstantiate, recorded, 0)
        finally:
            _free(driver.cuGraphDestroy, recorded)
        self._held.callback(_free, driver.cuGraphExecDestroy, graph)
        return graph

    def _abandon_capture(self) -> None:
        """Ends a capture that went wrong. Mostly the driver refuses even that, but the first error says more."""
        with suppress(BackendError):
            _free(driver.cuGraphDestroy, _call(driver.cuStreamEndCapture, self._stream))

    def launch(self, graph: Any) -> None:
        """Queues a captured graph."""
        _call(driver.cuGraphLaunch, graph, self._stream)

    def close(self) -> None:
        """Frees everything, the newest first; calling it again does nothing."""
        if not self._is_closed:
            self._is_closed = True
            _free(driver.cuCtxSetCurrent, self._context)
            self._held.close()


def _call(function: Callable[..., tuple[Any, ...]], *arguments: Any) -> Any:
    """What a call of the driver returns besides its code; raises BackendError for any code but success."""
    code, *results = function(*arguments)
    if code != driver.CUresult.CUDA_SUCCESS:
        raise BackendError(
            f"The GPU refused {function.__name__} ({code.name}).",
            "Start FER Live again; if that does not help, set backend to onnx-cpu.",
        )
    return results[0] if results else None


def _free(function: Callable[..., tuple[Any, ...]], thing: Any) -> None:
    """One step of closing. A driver that refuses it is logged: closing must go on to the end."""
    (code,) = function(thing)
    if code != driver.CUresult.CUDA_SUCCESS:
        log.warning("the GPU refused %s (%s)", function.__name__, code.name)
