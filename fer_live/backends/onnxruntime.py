"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard, load_verified_card
from fer_live.errors import BackendError, ModelError

if TYPE_CHECKING:
    import onnxruntime

MAX_BATCH = 32


class OnnxCpuBackend(Closing):
    """A network in ONNX Runtime's CPU provider, on one thread.

    One spinning thread more halves the rate of the whole chain on two cores: detection needs the other core.
    """

    name = "onnx-cpu"
    max_batch = MAX_BATCH

    def __init__(self, weights: Path) -> None:
        """Loads a verified .onnx; raises ModelError if it, its card or their agreement is broken."""
        import onnxruntime

        self.card: ModelCard = load_verified_card(weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base class below Exception
            raise ModelError(f"'{weights}' is not a network that ONNX Runtime can load ({error}).") from error
        _check_signature(session, self.card, weights)
        self._session: onnxruntime.InferenceSession | None = session
        self._input = session.get_inputs()[0].name
        self.device = f"ONNX Runtime {session.get_providers()[0].removesuffix('ExecutionProvider')}"

    @staticmethod
    def unavailable_because() -> str | None:
        """None if this backend can run here, else the reason."""
        try:
            import onnxruntime
        except ImportError as error:
            return f"onnxruntime cannot be imported: {error}"
        if "CPUExecutionProvider" not in onnxruntime.get_available_providers():
            return "this build of onnxruntime has no CPU provider"
        return None

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend.infer."""
        check_batch(batch, self.card, self.max_batch)
        if self._session is None:
            raise BackendError("The backend is closed.")
        (probabilities,) = self._session.run(None, {self._input: batch})
        return np.asarray(probabilities, np.float32)

    def close(self) -> None:
        """See Backend.close."""
        self._session = None


def check_batch(batch: NDArray[np.float32], card: ModelCard, max_batch: int) -> None:
    """Raises ValueError unless batch is float32 (1..max_batch, 1, H, W) of the card's size."""
    wanted = (card.input.channels, card.input.height, card.input.width)
    if batch.dtype != np.float32 or batch.shape[1:] != wanted or not 1 <= len(batch) <= max_batch:
        raise ValueError(f"batch must be float32 (1..{max_batch}, {wanted}), got {batch.dtype} {batch.shape}")


def _check_signature(session: onnxruntime.InferenceSession, card: ModelCard, weights: Path) -> None:
    given, result = session.get_inputs()[0].shape, session.get_outputs()[0].shape
    if list(given[1:]) != [card.input.channels, card.input.height, card.input.width]:
        raise ModelError(f"'{weights}' takes input {given}, which is not what its model card says.")
    if result[-1] != len(card.labels):
        raise ModelError(f"'{weights}' gives {result[-1]} probabilities but its card has {len(card.labels)} labels.")
