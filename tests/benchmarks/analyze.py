"""Frames a second of `analyze`, and the time from nothing to a first labelled face.

python tests/benchmarks/analyze.py [--model NAME] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

from wall import WallSource

from fer_live.backends.registry import open_backend
from fer_live.config import Config
from fer_live.pipeline.files import analyse_source

FRAMES = 150


def rate(faces: int, model: str) -> tuple[float, float]:
    """Frames a second, and labelled faces a frame."""
    seen = 0

    def count(result) -> None:  # type: ignore[no-untyped-def]
        nonlocal seen
        seen += len(result.tracks)

    with tempfile.TemporaryDirectory() as folder, open_backend("auto", model) as backend:
        started = time.perf_counter()
        analyse_source(WallSource(faces, FRAMES), Path(folder) / "wall", Config(), backend, count)
        return FRAMES / (time.perf_counter() - started), seen / FRAMES


def first_face(model: str) -> float:
    """Seconds a whole process takes to label one photograph."""
    photograph = resources.files("matplotlib") / "mpl-data/sample_data/grace_hopper.jpg"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fer_live", "analyze", str(photograph), "--out", folder, "--model", model]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["mobilevit_xxs", "resnet18"])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cases = [(model, faces) for model in arguments.model for faces in (0, 1, 5)]
    rates: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    found: dict[tuple[str, int], float] = {}
    for _ in range(arguments.rounds):
        for case in cases:
            frames_per_s, found[case] = rate(case[1], case[0])
            rates[case].append(frames_per_s)
    print(f"640x480, {FRAMES} frames, {arguments.rounds} rounds in turn; median (min-max)")
    for case in cases:
        spread = f"{statistics.median(rates[case]):.0f} ({min(rates[case]):.0f}-{max(rates[case]):.0f})"
        print(f"{case[0]:14} {case[1]} faces ({found[case]:.2f} found a frame): {spread} frames/s")
    for model in arguments.model:
        seconds = [first_face(model) for _ in range(arguments.rounds)]
        spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"
        print(f"{model:14} one photograph, whole process: {spread} s")


if __name__ == "__main__":
    main()
