"""A fake of the tensorrt package in one version, on ONNX Runtime and fake_cuda.

Each class names the real one that it stands for, and cannot be defined with a member, or a method with an argument,
that the real one lacks in any of the versions in bindings.json. What is used of it is noted in USED.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import onnx
import onnxruntime

from tests.tensorrt.bindings import TENSORRT, Bindings, known
from tests.tensorrt.fake_cuda import FakeDriver

USED: set[tuple[str, str]] = set()
"""(class, member) of all that was used of fakes in this process."""

_ENUMS = (
    *("DataType", "ExecutionContextAllocationStrategy", "LayerType", "MemoryPoolType"),
    *("NetworkDefinitionCreationFlag", "TensorIOMode"),
)
_KINDS = {"Conv": "CONVOLUTION", "MatMul": "MATRIX_MULTIPLY", "Gemm": "MATRIX_MULTIPLY", "Cast": "CAST"}
"""What some of ONNX's operators become; the others are all the same here."""
_SCRATCH_BYTES = 4096


@dataclass
class World:
    """A version of TensorRT on a machine, and what goes wrong there.

    parse_errors: of the parser. build_error: of the builder. has_cuda: whether CUDA starts for TensorRT.
    capture_error: of a run that is captured, which spoils the capture. trt: the enumerations of this version.
    """

    bindings: Bindings
    driver: FakeDriver
    trt: Any
    parse_errors: tuple[str, ...] = ()
    build_error: str = ""
    has_cuda: bool = True
    capture_error: str = ""

    @property
    def stamp(self) -> list[str]:
        """What a plan must have been built with."""
        return [self.bindings.version, self.driver.gpu_name]


class _Fake:
    """Refuses to be more than the real class."""

    real: ClassVar[str]
    _world: World

    def __init_subclass__(cls) -> None:
        # What FER Live derives from a fake has members of its own.
        if cls.__module__ != __name__:
            return
        for bindings in TENSORRT:
            has = known(bindings)[cls.real]
            for name, value in vars(cls).items():
                if name.startswith("_") or name == "real":
                    continue
                assert name in has, f"{bindings}: {cls.real} has no {name}"
                if inspect.isfunction(value):
                    takes = set(inspect.signature(value).parameters) - {"self"}
                    assert takes <= set(has[name]["takes"]), f"{bindings}: {cls.real}.{name} does not take {takes}"

    def __getattribute__(self, name: str) -> Any:
        _note(type(self), name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and type(self).__module__ == __name__:
            assert all(name in known(bindings)[self.real] for bindings in TENSORRT), f"{self.real} has no {name}"
            _note(type(self), name)
        object.__setattr__(self, name, value)


def _note(kind: type[_Fake], name: str) -> None:
    if not name.startswith("_") and name in known(TENSORRT[0])[kind.real]:
        USED.add((kind.real, name))


def fake_tensorrt(bindings: Bindings, driver: FakeDriver) -> tuple[ModuleType, World]:
    """The package as one version has it."""
    trt: Any = ModuleType("tensorrt")
    trt.__version__ = bindings.version
    world = World(bindings, driver, trt)
    for name in _ENUMS:
        setattr(trt, name, IntEnum(name, known(bindings)[name]))  # type: ignore[misc]
    for fake in (ILogger, IProgressMonitor, Builder, OnnxParser, Runtime):
        setattr(trt, fake.__name__, type(fake.__name__, (fake,), {"_world": world, "__module__": __name__}))
    trt.ILogger.Severity = IntEnum("Severity", known(bindings)["ILogger.Severity"])  # type: ignore[misc]
    return trt, world


class _Part(_Fake):
    """What only other fakes make."""

    real = "IHostMemory"

    def __init__(self, world: World) -> None:
        self._world = world


class ILogger(_Fake):
    real = "ILogger"

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


class IProgressMonitor(_Fake):
    real = "IProgressMonitor"

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, phase_name: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, phase_name: str) -> None:
        raise NotImplementedError


class ITensor(_Part):
    real = "ITensor"

    def __init__(self, world: World, name: str, shape: tuple[int, ...], dtype: Any) -> None:
        super().__init__(world)
        self.name, self.shape, self.dtype = name, shape, dtype


class ILayer(_Part):
    real = "ILayer"

    def __init__(self, world: World, kind: str, tensor: ITensor | None) -> None:
        super().__init__(world)
        self._tensor = tensor
        self.type = world.trt.LayerType[kind]

    def get_output(self, index: int) -> ITensor | None:
        return self._tensor if index == 0 else None


class INetworkDefinition(_Part):
    """Has a layer for each constant and each node of the ONNX graph and one without output, as an assertion is."""

    real = "INetworkDefinition"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._onnx = b""
        self._inputs: list[ITensor] = []
        self._layers = [ILayer(world, "ASSERTION", None)]

    def _fill(self, content: bytes) -> None:
        self._onnx = content
        graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(content)).graph
        types = {onnx.TensorProto.FLOAT: "FLOAT", onnx.TensorProto.FLOAT16: "HALF", onnx.TensorProto.INT64: "INT64"}
        dtypes = {number: self._world.trt.DataType[name] for number, name in types.items()}
        for given in graph.input:
            shape = tuple(each.dim_value or -1 for each in given.type.tensor_type.shape.dim)
            self._inputs.append(ITensor(self._world, given.name, shape, dtypes[given.type.tensor_type.elem_type]))
        for constant in graph.initializer:
            tensor = ITensor(self._world, constant.name, tuple(constant.dims), dtypes[constant.data_type])
            self._layers.append(ILayer(self._world, "CONSTANT", tensor))
        # A strongly typed network knows the types of all its tensors before it is built.
        inferred = {each.name: dtypes[each.type.tensor_type.elem_type] for each in (*graph.value_info, *graph.output)}
        for node in graph.node:
            kind = _KINDS.get(node.op_type, "ELEMENTWISE")
            tensor = ITensor(self._world, node.output[0], (), inferred[node.output[0]])
            self._layers.append(ILayer(self._world, kind, tensor))

    @property
    def num_layers(self) -> int:
        return len(self._layers)

    def get_layer(self, index: int) -> ILayer:
        return self._layers[index]

    def get_input(self, index: int) -> ITensor:
        return self._inputs[index]


class ParserError(_Part):
    real = "ParserError"

    def __init__(self, world: World, text: str) -> None:
        super().__init__(world)
        self._text = text

    def desc(self) -> str:
        return self._text


class OnnxParser(_Fake):
    real = "OnnxParser"

    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
        self._network = network

    def parse(self, model: bytes, path: str | None = None) -> bool:
        if not self._world.parse_errors:
            self._network._fill(model)
        return not self._world.parse_errors

    @property
    def num_errors(self) -> int:
        return len(self._world.parse_errors)

    def get_error(self, index: int) -> ParserError:
        return ParserError(self._world, self._world.parse_errors[index])


class _HostMemory(bytes):
    """A real IHostMemory is used through the buffer protocol alone."""


class ITimingCache(_Part):
    real = "ITimingCache"

    def __init__(self, world: World, content: bytes) -> None:
        super().__init__(world)
        self._content = content

    def serialize(self) -> _HostMemory:
        return _HostMemory(self._content + b"measured;")


class IOptimizationProfile(_Part):
    real = "IOptimizationProfile"
    _shapes: tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None = None

    def set_shape(self, input: str, min: tuple[int, ...], opt: tuple[int, ...], max: tuple[int, ...]) -> None:
        self._shapes = (input, min, opt, max)


class IBuilderConfig(_Part):
    real = "IBuilderConfig"
    progress_monitor: IProgressMonitor | None = None

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._cache: ITimingCache | None = None
        self._profile: IOptimizationProfile | None = None
        self._pools: dict[Any, int] = {}

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        self._pools[self._world.trt.MemoryPoolType(pool)] = pool_size

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        return ITimingCache(self._world, serialized_timing_cache)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        is_ours = all(part == b"measured" for part in cache._content.split(b";") if part)
        self._cache = cache if is_ours else self._cache
        return is_ours

    def get_timing_cache(self) -> ITimingCache | None:
        return self._cache

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profile = profile
        return 0


def _begin(world: World, logger: ILogger) -> None:
    assert "cuInit" in world.driver.calls, "the real one may end the process"
    if not world.has_cuda:
        logger.log(world.trt.ILogger.Severity.ERROR, "CUDA initialization failure with error: 35")
        raise TypeError("pybind11::init(): factory function returned nullptr")


class Builder(_Fake):
    """Fails in 10.x without the flag for strong typing, where FER Live would silently get another engine."""

    real = "Builder"

    def __init__(self, logger: ILogger) -> None:
        _begin(self._world, logger)
        self._logger = logger

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        strong = self._world.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
        assert flags == 1 << int(strong), f"flags {flags} are not those of a strongly typed network"
        return INetworkDefinition(self._world)

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig(self._world)

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile(self._world)

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> _HostMemory | None:
        monitor = config.progress_monitor
        if monitor is not None:
            monitor.phase_start("Building", None, 2)
            monitor.phase_start("Timing", "Building", 1000)
            assert all(monitor.step_complete("Timing", step) for step in range(1000))
            monitor.phase_finish("Timing")
            assert monitor.step_complete("Building", 0)
            monitor.phase_finish("Building")
        if self._world.build_error:
            self._logger.log(self._world.trt.ILogger.Severity.WARNING, "a weak warning")
            self._logger.log(self._world.trt.ILogger.Severity.ERROR, self._world.build_error)
            return None
        assert config._profile is not None and config._profile._shapes is not None
        header = {"stamp": self._world.stamp, "shapes": config._profile._shapes}
        return _HostMemory(json.dumps(header).encode() + b"\n" + network._onnx)


class Runtime(_Fake):
    real = "Runtime"

    def __init__(self, logger: ILogger) -> None:
        _begin(self._world, logger)
        self._logger = logger
        self._world.driver.users.add(self)

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
        header, _, content = serialized_engine.partition(b"\n")
        try:
            plan = json.loads(header)
        except ValueError:
            plan = {"stamp": None}
        if plan["stamp"] != self._world.stamp:
            self._logger.log(self._world.trt.ILogger.Severity.ERROR, "the plan is for something else")
            return None
        return ICudaEngine(self._world, plan["shapes"], content, self._logger)


class ICudaEngine(_Part):
    real = "ICudaEngine"

    def __init__(self, world: World, shapes: Any, content: bytes, logger: ILogger) -> None:
        super().__init__(world)
        self._logger = logger
        world.driver.users.add(self)
        self._profile = [tuple(shape) for shape in shapes[1:]]
        self._session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        self._inputs = {each.name: each for each in self._session.get_inputs()}
        self._outputs = {each.name: each for each in self._session.get_outputs()}

    @property
    def device_memory_size_v2(self) -> int:
        return _SCRATCH_BYTES

    @property
    def num_io_tensors(self) -> int:
        return len(self._inputs) + len(self._outputs)

    def get_tensor_name(self, index: int) -> str:
        return [*self._outputs, *self._inputs][index]

    def get_tensor_mode(self, name: str) -> Any:
        return self._world.trt.TensorIOMode["INPUT" if name in self._inputs else "OUTPUT"]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        dims = (self._inputs | self._outputs)[name].shape
        return tuple(each if isinstance(each, int) else -1 for each in dims)

    def get_tensor_dtype(self, name: str) -> Any:
        kind = (self._inputs | self._outputs)[name].type
        return self._world.trt.DataType["FLOAT" if kind == "tensor(float)" else "HALF"]

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        assert profile_index == 0
        return self._profile

    def create_execution_context(self, strategy: Any) -> IExecutionContext:
        is_own = strategy == self._world.trt.ExecutionContextAllocationStrategy.USER_MANAGED
        return IExecutionContext(self._world, self, needs_memory=is_own)


class IExecutionContext(_Part):
    """Like a real one it must be complete before it runs, and run once with a shape before it can be captured.

    A graph that was captured before the context was changed gives nonsense.
    """

    real = "IExecutionContext"

    def __init__(self, world: World, engine: ICudaEngine, needs_memory: bool) -> None:
        super().__init__(world)
        world.driver.users.add(self)
        self._engine = engine
        self._has_memory = not needs_memory
        self._has_profile = False
        self._shape: tuple[int, ...] | None = None
        self._addresses: dict[str, int] = {}
        self._changes = 0
        self._warm_at = -1

    def _change(self) -> bool:
        self._changes += 1
        return True

    def set_device_memory(self, memory: int, size: int) -> None:
        self._has_memory = self._world.driver.room(memory) >= size >= _SCRATCH_BYTES
        self._change()

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        self._has_profile = profile_index == 0 and stream_handle in self._world.driver.streams
        return self._has_profile and self._change()

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        smallest, _, largest = self._engine._profile
        is_inside = all(low <= each <= high for low, each, high in zip(smallest, shape, largest, strict=True))
        self._shape = shape if is_inside and name in self._engine._inputs else None
        return self._shape is not None and self._change()

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._addresses[name] = memory
        return self._world.driver.room(memory) > 0 and self._change()

    def execute_async_v3(self, stream_handle: int) -> bool:
        stream = self._world.driver.stream(stream_handle)
        is_complete = self._has_memory and self._has_profile and self._shape is not None
        if not is_complete or len(self._addresses) != self._engine.num_io_tensors:
            return False
        if stream.captured is not None and self._warm_at != self._changes:
            return False
        if stream.captured is not None and self._world.capture_error:
            stream.is_spoilt = True
            self._engine._logger.log(self._world.trt.ILogger.Severity.ERROR, self._world.capture_error)
            return False
        stream.put(self._work(self._changes))
        return True

    def _work(self, changes: int) -> Callable[[], None]:
        context = weakref.ref(self)

        def work() -> None:
            self = context()
            assert self is not None, "nothing that waits on a GPU keeps an object of Python alive"
            assert self._shape is not None
            self._warm_at = changes
            (given,), (result,) = self._engine._inputs, self._engine._outputs
            size = 4 * int(np.prod(self._shape))
            crops = np.frombuffer(ctypes.string_at(self._addresses[given], size), np.float32).reshape(self._shape)
            (rows,) = self._engine._session.run([result], {given: crops})
            content = (rows if changes == self._changes else np.full_like(rows, np.nan)).tobytes()
            assert self._world.driver.room(self._addresses[result]) >= len(content)
            ctypes.memmove(self._addresses[result], content, len(content))

        return work


def fake_modules(bindings: Bindings, driver: FakeDriver) -> tuple[dict[str, Any], World]:
    """What `import tensorrt` and `from cuda.bindings import driver` are to find."""
    trt, world = fake_tensorrt(bindings, driver)
    cuda, cuda_bindings = ModuleType("cuda"), ModuleType("cuda.bindings")
    cuda.bindings, cuda_bindings.driver = cuda_bindings, driver  # type: ignore[attr-defined]
    modules = {"tensorrt": trt, "cuda": cuda, "cuda.bindings": cuda_bindings, "cuda.bindings.driver": driver}
    return modules, world
