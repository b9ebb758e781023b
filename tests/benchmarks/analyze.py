"""Frames a second of `analyze`, the time from nothing to a first labelled face, and what several jobs gain.

python tests/benchmarks/analyze.py [--model NAME] [--rounds N] [--jobs N]
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

from fer_live.backends.registry import open_backend
from fer_live.capture.wall import WallSource
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


def whole_run(model: str, *arguments: str) -> float:
    """Seconds a whole process takes to analyse something."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fer_live", "analyze", *arguments, "--out", folder, "--model", model]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def gain(model: str, jobs: int) -> float:
    """How many times faster so many demos are analysed at once than one after the other."""
    demos = ["demo"] * jobs
    return whole_run(model, *demos, "--jobs", "1") / whole_run(model, *demos, "--jobs", str(jobs))


def shown(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["mobilevit_xxs", "resnet18"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="for the comparison with one job; 1: none")
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
        print(f"{case[0]:14} {case[1]} faces ({found[case]:.2f} found a frame): {shown(rates[case], 0)} frames/s")
    photograph = str(resources.files("matplotlib") / "mpl-data/sample_data/grace_hopper.jpg")
    for model in arguments.model:
        seconds = [whole_run(model, photograph) for _ in range(arguments.rounds)]
        print(f"{model:14} one photograph, whole process: {shown(seconds, 2)} s")
    for model in arguments.model if arguments.jobs > 1 else ():
        gains = [gain(model, arguments.jobs) for _ in range(arguments.rounds)]
        print(f"{model:14} {arguments.jobs} demos, --jobs {arguments.jobs} against 1: {shown(gains, 2)} times as fast")


if __name__ == "__main__":
    main()
