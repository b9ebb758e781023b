"""TensorRT on the first NVIDIA GPU."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import MAX_BATCH, check_batch
from fer_live.backends.engine_files import EngineName
from fer_live.backends.nvidia import cuda_of_driver, driver_refusal
from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard, card_path, half_path, listed_sha256, load_card, load_verified_card
from fer_live.errors import BackendError, ModelError

BUILDER = "fer_live.backends.build_engine"
"""The program that builds engines."""

_OLDEST, _TOO_NEW = (10, 8), (12,)
_CUDAS = (12, 13)
"""Major versions of CUDA that there are packages of TensorRT for."""
_INSTALL = '`pip install "fer-live[tensorrt]"` installs it'


class TensorRtBackend(Closing):
    """A network as a float16 engine, built beforehand for this GPU; crops and probabilities stay float32."""

    name = "tensorrt"
    max_batch = MAX_BATCH
    is_thread_safe = False
    passed_over: tuple[str, ...] = ()
    warm_up_batch = MAX_BATCH

    def __init__(self, weights: Path) -> None:
        """Opens the engine of an .onnx file; raises BackendError if there is none or TensorRT refuses it.

        A refused engine is removed, so that it is built anew.
        """
        reason = self.unavailable_because(weights)
        if reason is not None:
            raise BackendError(f"TensorRT cannot run '{weights.stem}': {reason}.")
        from fer_live.backends.engine import Engine, EngineRefused

        try:
            self.card: ModelCard = load_verified_card(half_path(weights))
        except ModelError as error:  # the float32 network may be sound all the same
            raise BackendError(error.message, error.hint) from error
        path = engine_name(weights).path()
        try:
            engine = Engine(path.read_bytes(), self.card)
        except EngineRefused:
            path.unlink(missing_ok=True)
            raise
        except OSError as error:
            raise BackendError(f"Engine '{path}' cannot be read ({error.strerror}).") from error
        self._engine: Engine | None = engine
        self.device = engine.device

    @staticmethod
    def unavailable_because(weights: Path | None = None) -> str | None:
        """See BackendClass."""
        reason = build_refusal(weights)
        if reason is None and weights is not None and not engine_name(weights).path().is_file():
            return f"no engine of '{weights.stem}' is built yet for this GPU; `python -m {BUILDER} {weights}` builds it"
        return reason

    @staticmethod
    def preparation(weights: Path) -> list[str] | None:
        """See BackendClass."""
        if build_refusal(weights) is not None or engine_name(weights).path().is_file():
            return None
        return ["-m", BUILDER, str(weights)]

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend.infer."""
        check_batch(batch, self.card, self.max_batch)
        if self._engine is None:
            raise BackendError("The backend is closed.")
        return self._engine.run(batch)

    def close(self) -> None:
        """See Backend.close."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def build_refusal(weights: Path | None) -> str | None:
    """Why no engine can be built or run here, or none of a network of which weights is the .onnx; else None."""
    reason = driver_refusal() or _package_refusal()
    if reason is not None or weights is None:
        return reason
    if not half_path(weights).is_file():
        return f"there is no '{half_path(weights).name}' beside '{weights.name}'"
    try:
        _listed_half(weights)
    except ModelError as error:
        return error.message
    return None


def _listed_half(weights: Path) -> str:
    """SHA-256 of the float16 network by its card: what is opened is held against it, and hashing takes time."""
    return listed_sha256(load_card(card_path(weights)), half_path(weights))


def _package_refusal() -> str | None:
    for module, package in (("cuda.bindings.driver", "cuda-bindings"), ("tensorrt", "tensorrt")):
        try:
            found = import_module(module)
        except (ImportError, OSError, RuntimeError) as error:  # its libraries may be missing, or be for another driver
            return f"{package} cannot be imported ({error}); {_INSTALL}"
    version: str = found.__version__
    if not _OLDEST <= tuple(int(part) for part in version.split(".")[:2]) < _TOO_NEW:
        return f"tensorrt {version} is not of version 10.8 to 11; {_INSTALL}"
    needed, given = _cuda_of(version), cuda_of_driver()
    if needed > given:
        return (
            f"tensorrt {version} needs a driver for CUDA {needed}, and this one is for CUDA {given}; "
            f"a newer driver helps, or TensorRT for CUDA {given}"
        )
    return None


def _cuda_of(version: str) -> int:
    """Which CUDA a version of TensorRT was installed for; 0 if pip did not install it.

    TensorRT does not tell, and with an older driver some versions end the process as soon as they are used.
    """
    for cuda in _CUDAS:
        with suppress(metadata.PackageNotFoundError):
            if metadata.version(f"tensorrt-cu{cuda}-bindings") == version:
                return cuda
    return 0


def engine_name(weights: Path) -> EngineName:
    """The engine of an .onnx file that this GPU and this TensorRT need, of a network that its card lists.

    Raises BackendError if the GPU refuses, ModelError if the card does not list the float16 network.
    """
    from fer_live.backends.cuda import first_gpu
    from fer_live.backends.engine import VERSION

    gpu = first_gpu()
    return EngineName(weights.stem, _listed_half(weights), VERSION, gpu.name, gpu.sm)
