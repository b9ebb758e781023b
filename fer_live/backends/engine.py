"""TensorRT 10 and 11: from an ONNX network to an engine, and the engine at work.

To be imported where nvidia.driver_refusal() gives None and both tensorrt and cuda-python are installed. One source
serves both versions: what differs between them is used in neither (tests/tensorrt holds this module against both).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import tensorrt as trt
from numpy.typing import NDArray

from fer_live.backends.backend import MAX_BATCH
from fer_live.backends.cuda import Gpu
from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard
from fer_live.errors import BackendError
from fer_live.files import replace_file

log = logging.getLogger(__name__)

VERSION: str = trt.__version__
_USUAL_BATCH = 2
_WORKSPACE_BYTES = 1 << 30
_REBUILD = "Start FER Live again, and it is built anew."


class EngineRefused(BackendError):
    """An engine does not fit this TensorRT, this GPU or this network."""


Progress = Callable[[str, int, int], None]
"""Called from any thread with the name of a phase, the steps of it that are done, and how many there are."""


class EngineLog(trt.ILogger):  # type: ignore[misc]  # TensorRT has no types
    """Passes TensorRT's messages on to the log, and keeps its last error."""

    def __init__(self) -> None:
        trt.ILogger.__init__(self)
        self.last_error = "TensorRT does not say why"

    def log(self, severity: Any, msg: str) -> None:
        """See ILogger.log."""
        if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
            self.last_error = msg
            log.error("TensorRT: %s", msg)
        elif severity == trt.ILogger.Severity.WARNING:
            log.info("TensorRT: %s", msg)


class _Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # TensorRT has no types
    """Reports each per cent of each phase once; TensorRT nests phases, and tells steps by the thousand."""

    def __init__(self, progress: Progress) -> None:
        trt.IProgressMonitor.__init__(self)
        self._progress = progress
        self._steps: dict[str, int] = {}

    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        """See IProgressMonitor."""
        self._steps[phase_name] = num_steps
        self._progress(phase_name, 0, num_steps)

    def step_complete(self, phase_name: str, step: int) -> bool:
        """See IProgressMonitor; never ends the build, since who wants that ends the process."""
        total = self._steps.get(phase_name, 1)
        if 100 * step // total != 100 * (step + 1) // total:
            self._progress(phase_name, step + 1, total)
        return True

    def phase_finish(self, phase_name: str) -> None:
        """See IProgressMonitor."""
        self._steps.pop(phase_name, None)


def build_plan(network_file: Path, timing_cache: Path, progress: Progress) -> bytes:
    """Builds an engine for the first GPU, for batches of 1 to MAX_BATCH, in the types that the ONNX file has.

    network_file: with float32 input and output and float16 weights. timing_cache: read if it is there, and written.
    Takes minutes. Raises BackendError if the network does not compute in float16 or TensorRT cannot build it.
    """
    messages = EngineLog()
    builder = _started(trt.Builder, messages)
    # Version 11 types strongly whatever it is told; the flag's number is not the same in both.
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, messages)
    if not parser.parse(network_file.read_bytes()):
        reasons = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise BackendError(f"TensorRT cannot read '{network_file}' ({reasons}).")
    _require_float16(network, network_file)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    monitor = _Monitor(progress)
    config.progress_monitor = monitor
    _use_timing_cache(config, timing_cache.read_bytes() if timing_cache.is_file() else b"")
    profile = builder.create_optimization_profile()
    tensor = network.get_input(0)
    crop = tuple(tensor.shape)[1:]
    profile.set_shape(tensor.name, (1, *crop), (_USUAL_BATCH, *crop), (MAX_BATCH, *crop))
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(f"TensorRT cannot build an engine from '{network_file}' ({messages.last_error}).")
    replace_file(timing_cache, bytes(memoryview(config.get_timing_cache().serialize())))
    return bytes(memoryview(plan))


def _started(kind: Any, messages: EngineLog) -> Any:
    """A Builder or a Runtime; raises BackendError if CUDA does not start for it."""
    try:
        return kind(messages)
    except TypeError as error:  # pybind11's way to say that there is none
        raise BackendError(
            f"TensorRT {VERSION} does not start ({messages.last_error}).",
            "NVIDIA's release notes say which driver it needs.",
        ) from error


def _use_timing_cache(config: Any, content: bytes) -> None:
    """Begins with an empty cache where TensorRT does not take the old one: after a change of the driver, say."""
    cache = config.create_timing_cache(content)
    if cache is None or not config.set_timing_cache(cache, ignore_mismatch=False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, ignore_mismatch=False)


def _require_float16(network: Any, network_file: Path) -> None:
    """A float32 network would build just as well, and be slow without a word.

    Its weights do not tell: they may be stored in float16 and widened before they are used.
    """
    computing = (trt.LayerType.CONVOLUTION, trt.LayerType.MATRIX_MULTIPLY)
    layers = [network.get_layer(index) for index in range(network.num_layers)]
    if {layer.get_output(0).dtype for layer in layers if layer.type in computing} != {trt.DataType.HALF}:
        raise BackendError(
            f"'{network_file}' does not compute in float16.", "Export it again with `python -m training.fit`."
        )


class Engine(Closing):
    """An engine on the first GPU with its own stream; used on one thread at a time, whichever that is.

    device: TensorRT's version and the GPU's name.
    """

    def __init__(self, plan: bytes, card: ModelCard) -> None:
        """Loads an engine; raises EngineRefused if it was built for something else, BackendError if the GPU fails."""
        with ExitStack() as held:
            self._gpu = held.enter_context(Gpu())
            self.device = f"TensorRT {VERSION}, {self._gpu.facts.name}"
            # What TensorRT holds refers to memory and to the GPU's context, and graphs refer to what it holds.
            self._gpu.before_freeing(self._forget_engine)
            self._messages = EngineLog()
            self._runtime = _started(trt.Runtime, self._messages)
            self._engine = self._runtime.deserialize_cuda_engine(plan)
            if self._engine is None:
                raise EngineRefused(f"TensorRT refuses the engine ({self._messages.last_error}).", _REBUILD)
            self._input, self._output, refusal = _signature(self._engine, card)
            if refusal:
                raise EngineRefused(refusal, _REBUILD)
            self._crops = self._gpu.buffer((MAX_BATCH, card.input.channels, card.input.height, card.input.width))
            self._probabilities = self._gpu.buffer((MAX_BATCH, len(card.labels)))
            self._scratch_bytes = self._engine.device_memory_size_v2
            self._scratch = self._gpu.memory(max(1, self._scratch_bytes))
            self._contexts: list[Any] = []
            self._gpu.before_freeing(self._contexts.clear)
            self._graphs: dict[int, Any] = {}
            self._held = held.pop_all()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Crops float32 (N, 1, H, W), 1 <= N <= MAX_BATCH -> probabilities float32 (N, K); see Backend.infer.

        Raises BackendError if the GPU fails.
        """
        rows = len(batch)
        self._gpu.make_current()
        graph = self._graphs.get(rows)
        if graph is None:
            graph = self._graphs[rows] = self._capture(rows)
        self._crops.host[:rows] = batch
        self._gpu.launch(graph)
        self._gpu.wait()
        return self._probabilities.host[:rows].copy()

    def _capture(self, rows: int) -> Any:
        """The way of a batch of one size to the GPU and back, as one graph.

        A graph is valid as long as nobody changes the execution context that it was captured from, so each has its
        own; they share their scratch memory, since only one runs at a time (NVIDIA, TensorRT's guide to performance).
        """
        context = self._new_context(rows)
        # In the first run TensorRT makes what the shape needs, which a graph cannot hold.
        self._queue(context, rows)
        self._gpu.wait()
        graph = self._gpu.capture(lambda: self._queue(context, rows))
        self._contexts.append(context)
        return graph

    def _new_context(self, rows: int) -> Any:
        strategy = trt.ExecutionContextAllocationStrategy.USER_MANAGED
        context = self._engine.create_execution_context(strategy=strategy)
        if context is None:
            raise BackendError(f"TensorRT cannot run the engine ({self._messages.last_error}).")
        context.set_device_memory(self._scratch, self._scratch_bytes)
        is_ready = (
            context.set_optimization_profile_async(0, self._gpu.stream)
            and context.set_input_shape(self._input, (rows, *self._crops.host.shape[1:]))
            and context.set_tensor_address(self._input, self._crops.address)
            and context.set_tensor_address(self._output, self._probabilities.address)
        )
        if not is_ready:
            raise BackendError(f"TensorRT refuses a batch of {rows} ({self._messages.last_error}).", _REBUILD)
        return context

    def _queue(self, context: Any, rows: int) -> None:
        self._gpu.upload(self._crops, rows)
        if not context.execute_async_v3(self._gpu.stream):
            raise BackendError(f"TensorRT cannot run a batch of {rows} ({self._messages.last_error}).")
        self._gpu.download(self._probabilities, rows)

    def close(self) -> None:
        """Frees engine and memory; calling it again does nothing."""
        self._held.close()

    def _forget_engine(self) -> None:
        self._engine = self._runtime = None


def _signature(engine: Any, card: ModelCard) -> tuple[str, str, str]:
    """Names of input and output, and '', or why they are not what the card and MAX_BATCH say.

    It does not raise: an error holds what was in use where it was raised, and the engine must go before the GPU.
    """
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    outputs = [name for name in names if name not in inputs]
    crop = (card.input.channels, card.input.height, card.input.width)
    wanted = [(-1, *crop), (-1, len(card.labels))]
    given = [tuple(engine.get_tensor_shape(name)) for name in (*inputs, *outputs)]
    is_float32 = all(engine.get_tensor_dtype(name) == trt.DataType.FLOAT for name in names)
    if (len(inputs), len(outputs)) != (1, 1) or given != wanted or not is_float32:
        return "", "", f"The engine has the shapes {given}, not {wanted} in float32."
    smallest, _, largest = engine.get_tensor_profile_shape(inputs[0], 0)
    if (smallest[0], largest[0]) != (1, MAX_BATCH):
        return "", "", f"The engine takes {smallest[0]} to {largest[0]} faces, not 1 to {MAX_BATCH}."
    return inputs[0], outputs[0], ""
