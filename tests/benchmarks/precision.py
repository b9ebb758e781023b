"""Milliseconds that a network takes for a batch of faces in float32 and in int8, on one CPU thread.

With --rounds 0 only what the int8 network says of 32 crops, as a hash: it should be the same on any processor.

python tests/benchmarks/precision.py [--model NAME] [--rounds N] [--calls N]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import time

import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import Backend
from fer_live.backends.registry import open_backend

SIZES = (1, 2, 6, 16)


def noise(backend: Backend, faces: int) -> NDArray[np.float32]:
    """A batch for a backend."""
    spec = backend.card.input
    crops = np.random.default_rng(faces).integers(0, 256, (faces, spec.channels, spec.height, spec.width))
    return crops.astype(np.float32)


def median_ms(backend: Backend, faces: int, calls: int) -> float:
    """Of so many calls one after the other."""
    batch, spans = noise(backend, faces), []
    for _ in range(calls):
        started = time.perf_counter()
        backend.infer(batch)
        spans.append(time.perf_counter() - started)
    return statistics.median(spans) * 1000


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18", help="with an .int8.onnx beside it (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=50)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    with open_backend("onnx-cpu", arguments.model) as exact, open_backend("onnx-cpu-int8", arguments.model) as reduced:
        rounds = [
            {size: [median_ms(backend, size, arguments.calls) for backend in (exact, reduced)] for size in SIZES}
            for _ in range(arguments.rounds)
        ]
        probabilities = reduced.infer(noise(reduced, reduced.max_batch))
    digest = hashlib.sha256(probabilities.tobytes()).hexdigest()
    print(f"int8 probabilities of {len(probabilities)} crops: {digest[:16]}")
    if not rounds:
        return
    print(f"ms a call: medians of {arguments.calls} calls, of {arguments.rounds} rounds in turn the median (min-max)")
    print(f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} CPUs")
    for size in SIZES:
        pairs = [each[size] for each in rounds]
        wide, narrow = zip(*pairs, strict=True)
        ratios = [before / after for before, after in pairs]
        print(f"{size:2} faces: float32 {shown(wide)}, int8 {shown(narrow)}, ratio {shown(ratios)}")


if __name__ == "__main__":
    main()
