"""Builds the TensorRT engine of a network, once for each GPU: `python -m fer_live.backends.build_engine MODEL`.

A process of its own, since it takes minutes and a fault in NVIDIA's libraries ends it. It prints a line of progress a
step, tries the engine against ONNX Runtime on the CPU, and only then puts it in place.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import numpy as np

from fer_live.backends.backend import MAX_BATCH
from fer_live.backends.engine_files import EngineName, engine_folder
from fer_live.backends.onnxruntime import OnnxCpuBackend
from fer_live.backends.registry import find_weights
from fer_live.backends.tensorrt import build_refusal, engine_name
from fer_live.console import exit_code
from fer_live.core.modelcard import half_path, load_verified_card
from fer_live.errors import BackendError
from fer_live.files import lock, replace_file

TOLERANCE = 0.02
"""Largest difference of a probability from the float32 network on the CPU."""


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python -m fer_live.backends.build_engine", description=__doc__)
    parser.add_argument("model", metavar="MODEL", help="a shipped network, or the path of an .onnx file")
    model = parser.parse_args(argv).model
    return exit_code(lambda: _command(model))


def _command(model: str) -> None:
    try:
        build_engine(find_weights(model))
    except OSError as error:
        raise BackendError(f"The engine cannot be kept in '{engine_folder()}' ({error.strerror}).") from error


def build_engine(weights: Path) -> None:
    """Builds and tries the engine of an .onnx file, unless it is there; raises BackendError or ModelError."""
    reason = build_refusal(weights)
    if reason is not None:
        raise BackendError(f"No engine of '{weights.stem}' can be built: {reason}.")
    load_verified_card(weights)
    load_verified_card(half_path(weights))
    engine_folder().mkdir(parents=True, exist_ok=True)
    with (engine_folder() / "building.lock").open("w") as held:
        if not lock(held.fileno()):
            raise BackendError("Another FER Live is building an engine.", "Wait until it is done.")
        name = engine_name(weights)
        if not name.path().is_file():
            _build(weights, name)
        print(f"built {name.path()}", flush=True)


def _build(weights: Path, name: EngineName) -> None:
    from fer_live.backends.engine import build_plan

    plan = build_plan(half_path(weights), name.timing_cache(), _print_progress)
    _try(plan, weights)
    replace_file(name.path(), plan)
    name.remove_stale()


def _print_progress(phase: str, done: int, steps: int) -> None:
    # TensorRT calls from several threads: the end of a line must come with the line.
    print(f"{done}/{steps} {phase}\n", end="", flush=True)


def _try(plan: bytes, weights: Path) -> None:
    """Raises BackendError unless the engine says, in batches of every kind, what the float32 network says."""
    from fer_live.backends.engine import Engine

    spec = (card := load_verified_card(weights)).input
    crops = np.random.default_rng(0).integers(0, 256, (MAX_BATCH, spec.channels, spec.height, spec.width))
    batch = crops.astype(np.float32)
    with Engine(plan, card) as engine, OnnxCpuBackend(weights) as reference:
        for rows in (MAX_BATCH, 1, 3, 1):
            difference = float(np.abs(engine.run(batch[:rows]) - reference.infer(batch[:rows])).max())
            # Written so that NaN fails too.
            if not difference <= TOLERANCE:
                raise BackendError(
                    f"The engine's probabilities differ by {difference:.2g} from those on the CPU, over {TOLERANCE}.",
                    "Set backend to onnx-cuda or onnx-cpu, and report it with what `fer-live doctor` says.",
                )


if __name__ == "__main__":
    # TensorRT keeps Python from hearing of Ctrl-C for minutes, and swallows what is raised where it calls back.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
