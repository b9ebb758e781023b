"""What overlapping, batches and jobs gain `analyze`, and the time from nothing to a first labelled face.

python tests/benchmarks/analyze.py [--model NAME ...] [--backend NAME] [--faces N ...] [--rounds N] [--jobs N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from fer_live.backends.backend import MAX_BATCH, Backend
from fer_live.backends.registry import open_backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Hashes, Source
from fer_live.capture.wall import WallSource
from fer_live.config import Config
from fer_live.core.structs import Result
from fer_live.pipeline import overlap
from fer_live.pipeline.analyser import FaceFollower, classify, look_at
from fer_live.pipeline.batch import usable_cpus
from fer_live.pipeline.files import Order, Task, analyse_source, open_finder
from fer_live.pipeline.machine import machine_facts
from fer_live.pipeline.workers import run_in_workers
from fer_live.record.mp4 import Mp4File
from fer_live.record.session import SessionWriter

FRAMES, PICTURES = 150, 60

OnResult = Callable[[Result], None]


class Case(NamedTuple):
    """A video with so many faces, or pictures with so many faces each."""

    model: str
    faces: int
    is_stills: bool = False

    def __str__(self) -> str:
        return f"{self.model:14} {self.faces} faces, {'pictures' if self.is_stills else 'video':8}"


class Run(NamedTuple):
    """Frames a second; CPU time, as a share of that of all cores and of a frame; faces found; the rows as written."""

    rate: float
    busy: float
    cpu_ms: float
    faces: int
    rows: bytes


def one_at_a_time(source: Source, folder: Path, backend: Backend, on_result: OnResult) -> None:
    """Each frame read, looked at, classified, followed and written before the next."""
    cv2.setNumThreads(1)
    folder.mkdir()
    with open_finder(Config().finder, source.is_stills) as finder:
        follower = FaceFollower(Config(), backend.card.labels)
        labels, timed = backend.card.labels, not source.is_stills
        writer = SessionWriter(folder, source.identity[:16], labels, {}, timed=timed, files=source.files)
        for frame in iter(source.read, None):
            (reading,) = classify([look_at(frame, finder, backend.card.input)], backend)
            result = follower.follow(reading, alone=source.is_stills)
            writer.write(result)
            on_result(result)
        writer.close()


def overlapped(source: Source, folder: Path, backend: Backend, on_result: OnResult) -> None:
    """As `analyze` does it."""
    analyse_source(source, folder, Order(Config(), cores=usable_cpus()), backend, on_result)


def with_slow_turns(source: Source, folder: Path, backend: Backend, on_result: OnResult) -> None:
    """Overlapped, but threads wait for Python's lock as long as they do by default."""
    before, overlap._SWITCH_S = overlap._SWITCH_S, sys.getswitchinterval()
    try:
        overlapped(source, folder, backend, on_result)
    finally:
        overlap._SWITCH_S = before


WAYS = (one_at_a_time, overlapped, with_slow_turns)


def run(way: Callable[[Source, Path, Backend, OnResult], None], case: Case, path: Path, backend_name: str) -> Run:
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory() as out,
        open_backend(backend_name, case.model) as backend,
        open_source(str(path)) as source,
    ):
        started, cpu_started = time.perf_counter(), time.process_time()
        way(source, Path(out) / "session", backend, results.append)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        rows = (Path(out) / "session" / "frames.csv").read_bytes()
    faces = sum(len(result.tracks) for result in results)
    busy = cpu_seconds / seconds / usable_cpus()
    return Run(len(results) / seconds, busy, 1000 * cpu_seconds / len(results), faces, rows)


def make_source(case: Case, folder: Path) -> Path:
    """The case's video or folder of pictures, of one photograph's faces."""
    wall = WallSource(case.faces, PICTURES if case.is_stills else FRAMES)
    path = folder / f"{case.faces}{'' if case.is_stills else '.mp4'}"
    if case.is_stills:
        path.mkdir(exist_ok=True)
        for frame in iter(wall.read, None):
            cv2.imwrite(str(path / f"{frame.index:03}.jpg"), frame.image)
    elif not path.exists():
        with Mp4File(path, 640, 480, {"crf": "20"}) as file:
            for frame in iter(wall.read, None):
                file.write(frame.image, frame.captured_at)
    return path


def whole_run(model: str, *arguments: str) -> float:
    """Seconds a whole process takes to analyse something."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fer_live", "analyze", *arguments, "--out", folder, "--model", model]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def jobs_run(model: str, backend: str, demos: int, jobs: int, cores: int) -> float:
    """Seconds that so many demos take, at so many jobs that may each keep so many cores busy."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [Task(number, "demo", Path(folder) / str(number), Hashes()) for number in range(demos)]
        started = time.perf_counter()
        run_in_workers(tasks, Order(Config(model=model), cores=cores), backend, jobs, lambda: None, lambda _: None)
        return time.perf_counter() - started


def shown(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def compare_ways(cases: list[Case], backend: str, rounds: int) -> None:
    runs: dict[Case, list[list[Run]]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for case in cases:
                path = make_source(case, Path(folder))
                runs[case].append([run(way, case, path, backend) for way in WAYS])
    print(f"640x480, {FRAMES} frames or {PICTURES} pictures, {rounds} rounds in turn; median (min-max)")
    for case in cases:
        columns = list(zip(*runs[case], strict=True))
        are_same = len({each.rows for column in columns for each in column}) == 1
        print(f"{case} ({columns[0][0].faces} faces found in all; rows {'are the same' if are_same else 'DIFFER'}):")
        for way, column in zip(WAYS, columns, strict=True):
            rates, busy = [each.rate for each in column], [100 * each.busy for each in column]
            gains = [rate / one.rate for rate, one in zip(rates, columns[0], strict=True)]
            print(
                f"    {way.__name__:16} {shown(rates, 0)} frames/s, {shown(gains, 2)} times as fast;"
                f" {shown(busy, 0)} % of the cores busy, {shown([each.cpu_ms for each in column], 1)} ms CPU a frame"
            )


def compare_batches(model: str, backend_name: str, rounds: int) -> None:
    """CPU time a face for batches of so many."""
    crops = np.random.default_rng(0).uniform(0, 255, (MAX_BATCH, 1, 48, 48)).astype(np.float32)
    sizes = (1, 2, 4, 8, 16, MAX_BATCH)
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    with open_backend(backend_name, model) as backend:
        for _, size in product(range(rounds), sizes):
            started = time.thread_time()
            for start in range(0, MAX_BATCH, size):
                backend.infer(crops[start : start + size])
            costs[size].append(1000 * (time.thread_time() - started) / MAX_BATCH)
    print(f"{model:14} ms CPU a face in batches of", *(f"{size}: {shown(costs[size], 2)}" for size in sizes), sep="  ")


def compare_jobs(model: str, backend: str, jobs: int, rounds: int) -> None:
    """As many demos as jobs; backend: by its own name."""
    ways = [(1, usable_cpus()), (jobs, 1), (jobs, usable_cpus())]
    rows = [[jobs_run(model, backend, jobs, *way) for way in ways] for _ in range(rounds)]
    for way, seconds in zip(ways, zip(*rows, strict=True), strict=True):
        gains = [row[0] / own for row, own in zip(rows, seconds, strict=True)]
        print(
            f"{model:14} {jobs} demos, {way[0]} jobs of {way[1]} cores: {shown(list(seconds), 1)} s,"
            f" {shown(gains, 2)} times as fast as one job"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["mobilevit_xxs", "resnet18"])
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--faces", nargs="+", type=int, default=[0, 1, 5])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="for the comparison with one job; 1: none")
    arguments = parser.parse_args()
    print(machine_facts())
    cases = [Case(model, faces) for model in arguments.model for faces in arguments.faces]
    cases += [Case(model, 1, is_stills=True) for model in arguments.model]
    compare_ways(cases, arguments.backend, arguments.rounds)
    for model in arguments.model:
        compare_batches(model, arguments.backend, 3 * arguments.rounds)
    photograph = str(resources.files("matplotlib") / "mpl-data/sample_data/grace_hopper.jpg")
    for model in arguments.model:
        seconds = [whole_run(model, photograph) for _ in range(arguments.rounds)]
        print(f"{model:14} one photograph, whole process: {shown(seconds, 2)} s")
    for model in arguments.model if arguments.jobs > 1 else ():
        with open_backend(arguments.backend, model) as opened:
            backend = opened.name
        compare_jobs(model, backend, arguments.jobs, arguments.rounds)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
