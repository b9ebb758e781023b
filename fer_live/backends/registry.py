"""Backends by name: which can run here, why not, and how to open one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.backends.backend import Backend
from fer_live.errors import BackendError, ModelError

log = logging.getLogger(__name__)

BACKENDS = {"onnx-cpu": "fer_live.backends.onnxruntime:OnnxCpuBackend"}
"""Name to 'module:Class', in the order in which `auto` tries them. Classes are imported when first asked for."""


@dataclass(frozen=True)
class Probe:
    """Whether a backend can run here; reason says why not and is empty if it can."""

    name: str
    available: bool
    reason: str


def probe(name: str) -> Probe:
    """Asks a backend whether it can run here, without loading a network."""
    reason = _backend_class(name).unavailable_because()
    return Probe(name, reason is None, reason or "")


def probe_all() -> list[Probe]:
    """All backends, in the order of preference."""
    return [probe(name) for name in BACKENDS]


def open_backend(name: str, model: str | Path) -> Backend:
    """Opens and warms up a network.

    name: a key of BACKENDS, which is then used or refused, never replaced; or 'auto', which takes the first that
    runs and logs why it passed the others. model: see find_weights.
    Raises BackendError if none runs, ModelError if the network is missing or damaged.
    """
    weights = find_weights(model)
    names = list(BACKENDS) if name == "auto" else [name]
    refusals = []
    for candidate in names:
        found = probe(candidate)
        if found.available:
            return _warm(_backend_class(candidate)(weights))
        refusals.append(f"{candidate}: {found.reason}")
        log.info("backend passed over: %s", refusals[-1])
    raise BackendError(f"No backend can run here ({'; '.join(refusals)}).", "See `fer-live backends`.")


def _backend_class(name: str) -> Any:
    if name not in BACKENDS:
        raise BackendError(f"Unknown backend '{name}'.", f"Choose one of: auto, {', '.join(BACKENDS)}.")
    module, attribute = BACKENDS[name].split(":")
    return getattr(import_module(module), attribute)


def _warm(backend: Backend) -> Backend:
    spec = backend.card.input
    backend.infer(np.zeros((backend.max_batch, spec.channels, spec.height, spec.width), np.float32))
    return backend


def shipped_models() -> list[str]:
    """Names of the networks that come with FER Live."""
    folder = resources.files("fer_live.weights")
    return sorted(entry.name.removesuffix(".onnx") for entry in folder.iterdir() if entry.name.endswith(".onnx"))


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
