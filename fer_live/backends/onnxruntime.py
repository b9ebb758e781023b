"""ONNX Runtime, on the CPU or on an NVIDIA GPU."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import MAX_BATCH, check_batch
from fer_live.backends.nvidia import driver_refusal
from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard, int8_path, load_verified_card
from fer_live.errors import BackendError, ModelError

if TYPE_CHECKING:
    import onnxruntime

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_PROVIDERS = {
    _CPU: [_CPU],
    # By default cuDNN times all its algorithms on each convolution whenever the number of faces is a new one: a stall,
    # and probabilities whose last bits depend on what was fastest that day.
    _CUDA: [(_CUDA, {"cudnn_conv_algo_search": "HEURISTIC"}), _CPU],
}


class OnnxCpuBackend(Closing):
    """A network in ONNX Runtime's CPU provider, on one thread.

    One spinning thread more halves the rate of the whole chain on two cores: detection needs the other core.
    """

    name = "onnx-cpu"
    max_batch = MAX_BATCH
    # A session has no state (github.com/microsoft/onnxruntime/issues/22967), and a call has the thread that makes it.
    is_thread_safe = True
    passed_over: tuple[str, ...] = ()
    # It would hold memory for a full batch from then on, although that hardly ever comes.
    warm_up_batch = 1
    _provider = _CPU

    def __init__(self, weights: Path) -> None:
        """Loads a verified .onnx; raises ModelError if it, its card or their agreement is broken.

        Raises BackendError if ONNX Runtime takes another provider than the one this class stands for.
        """
        self.card: ModelCard = load_verified_card(weights)
        session = _open_session(weights, self._provider)
        _check_signature(session, self.card, weights)
        provider = session.get_providers()[0]
        if provider != self._provider:
            raise BackendError(
                f"ONNX Runtime cannot use its {_short(self._provider)} provider here and took {_short(provider)}.",
                "What it lacks is above, or in the log of the terminal: mostly CUDA or cuDNN.",
            )
        self._session: onnxruntime.InferenceSession | None = session
        self._input = session.get_inputs()[0].name
        self.device = f"ONNX Runtime {_short(provider)}"

    @staticmethod
    def unavailable_because(weights: Path | None = None) -> str | None:
        """See BackendClass."""
        return _provider_refusal(_CPU)

    @staticmethod
    def preparation(weights: Path) -> list[str] | None:
        """See BackendClass: nothing has to be prepared."""
        return None

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend.infer."""
        check_batch(batch, self.card, self.max_batch)
        if self._session is None:
            raise BackendError("The backend is closed.")
        try:
            (probabilities,) = self._session.run(None, {self._input: batch})
        except Exception as error:  # ONNX Runtime's errors share no base class below Exception
            raise BackendError(f"{self.device} failed ({error}).", "Set backend to another one.") from error
        return np.asarray(probabilities, np.float32)

    def close(self) -> None:
        """See Backend.close."""
        self._session = None


class OnnxInt8Backend(OnnxCpuBackend):
    """The int8 network that belongs to a float32 one, in ONNX Runtime's CPU provider."""

    name = "onnx-cpu-int8"

    def __init__(self, weights: Path) -> None:
        """See OnnxCpuBackend; weights is the float32 network's .onnx, which may be sound where this one is broken.

        So that is a BackendError, and `auto` goes on to the float32 network.
        """
        try:
            super().__init__(int8_path(weights))
        except ModelError as error:
            raise BackendError(error.message, error.hint) from error
        self.device += ", int8"

    @staticmethod
    def unavailable_because(weights: Path | None = None) -> str | None:
        """See BackendClass. Whether the file is what its card says is seen when it is opened, as of every network."""
        reason = _provider_refusal(_CPU)
        if reason is None and weights is not None and not int8_path(weights).is_file():
            return f"there is no '{int8_path(weights).name}' beside '{weights.name}'"
        return reason


class OnnxCudaBackend(OnnxCpuBackend):
    """A network in ONNX Runtime's CUDA provider."""

    name = "onnx-cuda"
    is_thread_safe = False
    warm_up_batch = MAX_BATCH
    _provider = _CUDA

    @staticmethod
    def unavailable_because(weights: Path | None = None) -> str | None:
        """See BackendClass."""
        return driver_refusal() or _provider_refusal(_CUDA)


def _provider_refusal(provider: str) -> str | None:
    try:
        import onnxruntime
    except ImportError as error:
        return f"onnxruntime cannot be imported: {error}"
    if provider in onnxruntime.get_available_providers():
        return None
    hint = "; onnxruntime-gpu in place of onnxruntime has it" if provider == _CUDA else ""
    return f"this build of onnxruntime has no {_short(provider)} provider{hint}"


def _open_session(weights: Path, provider: str) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # With CUDA it prints what it does not find, and what it makes of that, and output may be JSON.
        with redirect_stdout(sys.stderr) if provider == _CUDA else nullcontext():
            if provider == _CUDA:
                onnxruntime.preload_dlls()
            session = onnxruntime.InferenceSession(weights, options, providers=_PROVIDERS[provider])
    except Exception as error:  # ONNX Runtime's errors share no base class below Exception
        if provider == _CUDA:  # the file is the one that its card lists
            raise BackendError(
                f"ONNX Runtime cannot use its CUDA provider here ({error}).", "Set backend to another one."
            ) from error
        raise ModelError(f"'{weights}' is not a network that ONNX Runtime can load ({error}).") from error
    # After a failure it would go on with another provider, and not tell.
    session.disable_fallback()
    return session


def _short(provider: str) -> str:
    return provider.removesuffix("ExecutionProvider")


def _check_signature(session: onnxruntime.InferenceSession, card: ModelCard, weights: Path) -> None:
    given, result = session.get_inputs()[0].shape, session.get_outputs()[0].shape
    if list(given[1:]) != [card.input.channels, card.input.height, card.input.width]:
        raise ModelError(f"'{weights}' takes input {given}, which is not what its model card says.")
    if result[-1] != len(card.labels):
        raise ModelError(f"'{weights}' gives {result[-1]} probabilities but its card has {len(card.labels)} labels.")
