"""Backends by name: which can run here, why not, and how to open one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path

import numpy as np

from fer_live.backends.backend import Backend, BackendClass
from fer_live.core.modelcard import HALF_SUFFIX, INT8_SUFFIX
from fer_live.errors import BackendError, ModelError

log = logging.getLogger(__name__)

BACKENDS = {
    "tensorrt": "fer_live.backends.tensorrt:TensorRtBackend",
    "onnx-cuda": "fer_live.backends.onnxruntime:OnnxCudaBackend",
    "onnx-cpu-int8": "fer_live.backends.onnxruntime:OnnxInt8Backend",
    "onnx-cpu": "fer_live.backends.onnxruntime:OnnxCpuBackend",
}
"""Name to 'module:Class', in the order in which `auto` tries them. Classes are imported when first asked for."""


@dataclass(frozen=True)
class Probe:
    """Whether a backend can run here; reason says why not and is empty if it can."""

    name: str
    available: bool
    reason: str


def probe(name: str, model: str | Path | None = None) -> Probe:
    """Asks a backend whether it can run here, and whether it can run a network (see find_weights) if one is given."""
    weights = None if model is None else find_weights(model)
    backend_class = _backend_class(name)
    try:
        reason = backend_class.unavailable_because(weights)
    except BackendError as error:  # a GPU that there is may still refuse to say what it is
        reason = str(error)
    return Probe(name, reason is None, reason or "")


def probe_all(model: str | Path | None = None) -> list[Probe]:
    """All backends, in the order of preference."""
    return [probe(name, model) for name in BACKENDS]


def open_backend(name: str, model: str | Path) -> Backend:
    """Opens and warms up a network.

    name: a key of BACKENDS, which is then used or refused, never replaced; or 'auto', which takes the first that
    runs; its passed_over, and the log, say why not the others. model: see find_weights.
    Raises BackendError if none runs, ModelError if the network is missing or damaged.
    """
    weights = find_weights(model)
    refusals: list[str] = []
    for candidate in _candidates(name):
        found = probe(candidate, weights)
        if found.available:
            try:
                backend_class = _backend_class(candidate)
                backend = _warm(backend_class(weights), backend_class.warm_up_batch)
                backend.passed_over = tuple(refusals)
                return backend
            except BackendError as error:
                if name != "auto":
                    raise
                found = Probe(candidate, False, str(error))
        refusals.append(f"{candidate}: {found.reason}")
        log.info("backend passed over: %s", refusals[-1])
    if name != "auto":
        raise BackendError(f"Backend '{name}' cannot run here: {found.reason}.", "See `fer-live backends`.")
    raise BackendError(f"No backend can run here ({'; '.join(refusals)}).", "See `fer-live backends`.")


def preparation(name: str, model: str | Path) -> list[str] | None:
    """What must run once before the best backend that `name` allows can open a network: see BackendClass.

    None if that backend, or a better one, can open it now. Raises as open_backend does.
    """
    weights = find_weights(model)
    for candidate in _candidates(name):
        if (arguments := _backend_class(candidate).preparation(weights)) is not None:
            return arguments
        if probe(candidate, weights).available:
            return None
    return None


def _candidates(name: str) -> list[str]:
    return list(BACKENDS) if name == "auto" else [name]


def _backend_class(name: str) -> BackendClass:
    if name not in BACKENDS:
        raise BackendError(f"Unknown backend '{name}'.", f"Choose one of: auto, {', '.join(BACKENDS)}.")
    module, attribute = BACKENDS[name].split(":")
    found: BackendClass = getattr(import_module(module), attribute)
    return found


def _warm(backend: Backend, count: int) -> Backend:
    spec = backend.card.input
    try:
        backend.infer(np.zeros((count, spec.channels, spec.height, spec.width), np.float32))
    except BackendError:
        backend.close()
        raise
    return backend


def shipped_models() -> list[str]:
    """Names of the networks that come with FER Live."""
    folder = resources.files("fer_live.weights")
    names = [entry.name for entry in folder.iterdir() if entry.name.endswith(".onnx")]
    return sorted(name.removesuffix(".onnx") for name in names if not name.endswith((HALF_SUFFIX, INT8_SUFFIX)))


def find_weights(model: str | Path) -> Path:
    """The .onnx file of a shipped network by its name, or of any network by its path; raises ModelError."""
    if Path(model).suffix == ".onnx":
        return Path(model)
    if str(model) not in shipped_models():
        raise ModelError(
            f"Unknown model '{model}'.", f"Choose {', '.join(shipped_models())}, or the path of an .onnx file."
        )
    with resources.as_file(resources.files("fer_live.weights") / f"{model}.onnx") as path:
        return path
