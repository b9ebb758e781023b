"""Where TensorRT engines are kept, what they are called, and which are of no more use."""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from pathlib import Path

import platformdirs

from fer_live.config import APP_NAME
from fer_live.files import PARTIAL

SUFFIX = ".engine"
_HASH_DIGITS = 16


@dataclass(frozen=True)
class EngineName:
    """Everything that an engine depends on: with any of it changed, another engine is needed.

    model: name of the network. onnx: SHA-256 of the ONNX file, hexadecimal. tensorrt: its version. gpu, sm: the GPU's
    name and compute capability. precision: of weights and activations.
    """

    model: str
    onnx: str
    tensorrt: str
    gpu: str
    sm: str
    precision: str = "fp16"

    def __str__(self) -> str:
        """The file's name, of letters, digits, dots and underscores in fields set apart by hyphens."""
        return "-".join(self._fields()) + SUFFIX

    def _fields(self) -> list[str]:
        shortened = [*astuple(self)]
        shortened[1] = self.onnx[:_HASH_DIGITS]
        return [re.sub(r"[^\w.]+", "_", field) for field in shortened]

    def path(self) -> Path:
        """Where the engine is, or will be."""
        return engine_folder() / str(self)

    def timing_cache(self) -> Path:
        """What TensorRT measured while building engines for this GPU, which makes the next one faster."""
        _, _, tensorrt, gpu, sm, _ = self._fields()
        return engine_folder() / f"{tensorrt}-{gpu}-{sm}.timing"

    def remove_stale(self) -> None:
        """Removes what this engine replaces, what other versions of TensorRT left for this GPU, and torn files.

        Engines of other networks and other GPUs stay.
        """
        model, _, tensorrt, gpu, sm, _ = self._fields()
        for path in engine_folder().iterdir():
            fields = path.name.removesuffix(SUFFIX).split("-")
            if path.name.endswith(PARTIAL):
                path.unlink()
            elif path.suffix == SUFFIX and len(fields) == len(astuple(self)) and path.name != str(self):
                is_replaced = (fields[0], fields[3]) == (model, gpu)
                if is_replaced or (fields[3] == gpu and fields[2] != tensorrt):
                    path.unlink()
            elif path.name.endswith(f"-{gpu}-{sm}.timing") and path != self.timing_cache():
                path.unlink()


def engine_folder() -> Path:
    """The folder of all engines, in the user's cache; it need not exist."""
    return platformdirs.user_cache_path(APP_NAME) / "engines"
