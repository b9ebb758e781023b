"""A fake of cuda.bindings.driver: one GPU in ordinary memory, as strict as a real one about threads, sizes and order.

What is queued on a stream runs when somebody waits for it, and what is captured runs when its graph is launched.
"""

from __future__ import annotations

import ctypes
import inspect
import threading
import weakref
from collections.abc import Callable
from enum import IntEnum
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.tensorrt.bindings import CUDA, known

Work = Callable[[], None]


class FakeStream:
    """Work in the order in which it was queued."""

    def __init__(self) -> None:
        self.queued: list[Work] = []
        self.captured: list[Work] | None = None
        self.is_spoilt = False

    def put(self, work: Work) -> None:
        (self.queued if self.captured is None else self.captured).append(work)


class FakeDriver(ModuleType):
    """The module. fail: names of functions that give CUDA_ERROR_LAUNCH_FAILED. calls: names, in their order.

    users: what TensorRT has made on this GPU. A real driver does not mind if it goes before they do; then they fail.
    """

    def __init__(self, name: str = "NVIDIA Fake 9000") -> None:
        super().__init__("cuda.bindings.driver")
        self.gpu_name = name
        self.fail: set[str] = set()
        self.calls: list[str] = []
        self.memory: dict[int, Any] = {}
        self.streams: dict[int, FakeStream] = {}
        self.graphs: dict[int, list[Work]] = {}
        self.contexts = 0
        self.users: weakref.WeakSet[Any] = weakref.WeakSet()
        self._is_initialized = False
        self._current = threading.local()
        self._handles = iter(range(0x1000, 1 << 20, 0x100))
        described = known(CUDA[-1])
        for enum in ("CUresult", "CUdevice_attribute", "CUstream_flags", "CUstreamCaptureMode"):
            setattr(self, enum, IntEnum(enum, described[enum]))
        for function in FUNCTIONS:
            setattr(self, function.__name__, _guarded(self, function))

    def is_all_freed(self) -> bool:
        return not (self.memory or self.streams or self.graphs or self.contexts)

    def stream(self, handle: int) -> FakeStream:
        return self.streams[int(handle)]

    def require(self, truth: bool) -> None:
        if not truth:
            raise _InvalidValue

    def handle(self) -> int:
        return next(self._handles)

    def room(self, address: int) -> int:
        """Bytes from an address to the end of the memory that it lies in."""
        for start, block in self.memory.items():
            if start <= address < start + len(block):
                return start + len(block) - address
        return 0


class _InvalidValue(Exception):
    pass


def _guarded(driver: FakeDriver, function: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """As the real bindings: never raises, and gives a code first."""
    codes = driver.CUresult

    def call(*arguments: Any) -> tuple[Any, ...]:
        inspect.signature(function).bind(driver, *arguments)
        driver.calls.append(function.__name__)
        results = 1 if function in GIVING else 0
        if function.__name__ in driver.fail:
            return (codes.CUDA_ERROR_LAUNCH_FAILED, *[None] * results)
        if not driver._is_initialized and function is not cuInit:
            return (codes.CUDA_ERROR_NOT_INITIALIZED, *[None] * results)
        if function in NEEDING_CONTEXT and not getattr(driver._current, "context", None):
            return (codes.CUDA_ERROR_INVALID_CONTEXT, *[None] * results)
        if function in NEEDING_CONTEXT and not driver.contexts:
            return (codes.CUDA_ERROR_CONTEXT_IS_DESTROYED, *[None] * results)
        capturing = [stream for stream in driver.streams.values() if stream.captured is not None]
        if function in SPOILING and capturing:
            capturing[0].is_spoilt = True
            return (codes.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, *[None] * results)
        if function is cuStreamEndCapture and any(stream.is_spoilt for stream in capturing):
            capturing[0].captured, capturing[0].is_spoilt = None, False
            return (codes.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, *[None] * results)
        try:
            result = function(driver, *arguments)
        except (_InvalidValue, KeyError):
            return (codes.CUDA_ERROR_INVALID_VALUE, *[None] * results)
        return (codes.CUDA_SUCCESS, *[result] * results)

    call.__name__ = function.__name__
    return call


def cuInit(self: FakeDriver, Flags: int) -> None:
    self.require(Flags == 0)
    self._is_initialized = True


def cuDeviceGet(self: FakeDriver, ordinal: int) -> int:
    self.require(ordinal == 0)
    return 7


def cuDeviceGetName(self: FakeDriver, length: int, dev: int) -> bytes:
    return (self.gpu_name.encode() + b"\0").ljust(length, b" ")[:length]


def cuDeviceGetAttribute(self: FakeDriver, attrib: IntEnum, dev: int) -> int:
    return {"CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR": 9, "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR": 0}[
        attrib.name
    ]


def cuDevicePrimaryCtxRetain(self: FakeDriver, dev: int) -> int:
    self.contexts += 1
    return 0xC0


def cuDevicePrimaryCtxRelease(self: FakeDriver, dev: int) -> None:
    self.require(not self.users)
    self.contexts -= 1


def cuCtxSetCurrent(self: FakeDriver, ctx: int | None) -> None:
    self.require(ctx is None or (ctx == 0xC0 and self.contexts > 0))
    self._current.context = ctx


def cuMemAlloc(self: FakeDriver, bytesize: int) -> SimpleNamespace:
    class Pointer(int):
        pass

    return Pointer(_allocate(self, bytesize))  # type: ignore[return-value]


def cuMemAllocHost(self: FakeDriver, bytesize: int) -> int:
    return _allocate(self, bytesize)


def _allocate(self: FakeDriver, size: int) -> int:
    self.require(size > 0)
    block = ctypes.create_string_buffer(b"\xff" * size, size)
    self.memory[ctypes.addressof(block)] = block
    return ctypes.addressof(block)


def cuMemFree(self: FakeDriver, dptr: int) -> None:
    del self.memory[int(dptr)]


def cuMemFreeHost(self: FakeDriver, p: int) -> None:
    del self.memory[int(p)]


def cuStreamCreate(self: FakeDriver, Flags: int) -> int:
    handle = self.handle()
    self.streams[handle] = FakeStream()
    return handle


def cuStreamDestroy(self: FakeDriver, hStream: int) -> None:
    del self.streams[hStream]


def cuStreamSynchronize(self: FakeDriver, hStream: int) -> None:
    stream = self.streams[hStream]
    self.require(stream.captured is None)
    queued, stream.queued = stream.queued, []
    for work in queued:
        work()


def cuMemcpyHtoDAsync(self: FakeDriver, dstDevice: int, srcHost: int, ByteCount: int, hStream: int) -> None:
    _copy(self, dstDevice, srcHost, ByteCount, hStream)


def cuMemcpyDtoHAsync(self: FakeDriver, dstHost: int, srcDevice: int, ByteCount: int, hStream: int) -> None:
    _copy(self, dstHost, srcDevice, ByteCount, hStream)


def _copy(self: FakeDriver, to: int, source: int, size: int, stream: int) -> None:
    self.require(min(self.room(to), self.room(source)) >= size > 0)
    self.streams[stream].put(lambda: ctypes.memmove(to, source, size) and None)


def cuStreamBeginCapture(self: FakeDriver, hStream: int, mode: IntEnum) -> None:
    stream = self.streams[hStream]
    self.require(stream.captured is None and mode.name in self.CUstreamCaptureMode.__members__)
    stream.captured = []


def cuStreamEndCapture(self: FakeDriver, hStream: int) -> int:
    stream = self.streams[hStream]
    captured, stream.captured = stream.captured, None
    self.require(captured is not None)
    handle = self.handle()
    self.graphs[handle] = captured or []
    return handle


def cuGraphInstantiate(self: FakeDriver, hGraph: int, flags: int) -> int:
    handle = self.handle()
    self.graphs[handle] = self.graphs[hGraph]
    return handle


def cuGraphDestroy(self: FakeDriver, hGraph: int) -> None:
    del self.graphs[hGraph]


def cuGraphExecDestroy(self: FakeDriver, hGraphExec: int) -> None:
    self.require(len(self.users) > 0)
    del self.graphs[hGraphExec]


def cuGraphLaunch(self: FakeDriver, hGraphExec: int, hStream: int) -> None:
    for work in self.graphs[hGraphExec]:
        self.streams[hStream].put(work)


GIVING = frozenset(
    {cuDeviceGet, cuDeviceGetName, cuDeviceGetAttribute, cuDevicePrimaryCtxRetain, cuMemAlloc, cuMemAllocHost}
    | {cuStreamCreate, cuStreamEndCapture, cuGraphInstantiate}
)
NEEDING_CONTEXT = frozenset(
    {cuMemAlloc, cuMemAllocHost, cuMemFree, cuMemFreeHost, cuStreamCreate, cuMemcpyHtoDAsync, cuMemcpyDtoHAsync}
    | {cuGraphInstantiate, cuGraphLaunch, cuStreamBeginCapture, cuStreamSynchronize}
)
SPOILING = frozenset({cuMemAlloc, cuMemAllocHost, cuMemFree, cuMemFreeHost, cuStreamSynchronize})
"""What spoils the capture under way on the thread that calls it."""
FUNCTIONS = tuple(value for name, value in list(globals().items()) if name.startswith("cu") and callable(value))
