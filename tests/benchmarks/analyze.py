"""What overlapping gains `analyze`, what several jobs gain, and the time from nothing to a first labelled face.

python tests/benchmarks/analyze.py [--model NAME ...] [--backend NAME] [--rounds N] [--jobs N]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import cv2

from fer_live.backends.backend import Backend
from fer_live.backends.registry import open_backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Source
from fer_live.capture.wall import WallSource
from fer_live.config import Config
from fer_live.core.structs import Result
from fer_live.pipeline.analyser import FaceFollower, classify, look_at
from fer_live.pipeline.batch import usable_cpus
from fer_live.pipeline.files import Order, Task, analyse_source, open_finder
from fer_live.pipeline.machine import machine_facts
from fer_live.pipeline.workers import run_in_workers
from fer_live.record.mp4 import Mp4File
from fer_live.record.session import SessionWriter

FRAMES = 150
PHOTOGRAPHS = 60


class Case(NamedTuple):
    """A video with so many faces, or as many photographs with as many faces each."""

    model: str
    faces: int
    is_stills: bool = False

    def __str__(self) -> str:
        return f"{self.model:14} {self.faces} faces, {'photographs' if self.is_stills else 'video'}"


class Run(NamedTuple):
    """Frames a second; how many cores were busy, in the mean; what was found and read."""

    rate: float
    cores: float
    rows: bytes


Way = Callable[[Source, Path, Config, Backend, Callable[[Result], None]], None]


def one_at_a_time(
    source: Source, folder: Path, config: Config, backend: Backend, on_result: Callable[[Result], None]
) -> None:
    """Each frame decoded, looked at, classified, followed and written before the next."""
    cv2.setNumThreads(1)
    folder.mkdir()
    with open_finder(config.finder, source.is_stills) as finder:
        follower = FaceFollower(config, backend.card.labels)
        writer = SessionWriter(folder, source.identity[:16], backend.card.labels, {}, timed=not source.is_stills)
        for frame in iter(source.read, None):
            (reading,) = classify([look_at(frame, finder, backend.card.input)], backend)
            result = follower.follow(reading, alone=source.is_stills)
            writer.write(result)
            on_result(result)
        writer.close()


def overlapped(
    source: Source, folder: Path, config: Config, backend: Backend, on_result: Callable[[Result], None]
) -> None:
    """As `analyze` does it."""
    analyse_source(source, folder, config, backend, on_result, cores=usable_cpus())


def run(way: Way, case: Case, path: Path, backend_name: str) -> Run:
    count = 0

    def tick(result: Result) -> None:
        nonlocal count
        count += 1

    with (
        tempfile.TemporaryDirectory() as out,
        open_backend(backend_name, case.model) as backend,
        open_source(str(path)) as source,
    ):
        started, cpu_started = time.perf_counter(), time.process_time()
        way(source, Path(out) / "session", Config(), backend, tick)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        return Run(count / seconds, cpu_seconds / seconds, (Path(out) / "session" / "frames.csv").read_bytes())


def make_source(case: Case, folder: Path) -> Path:
    """The case's video or pictures, made of one photograph."""
    wall = WallSource(case.faces, PHOTOGRAPHS if case.is_stills else FRAMES)
    frames: Iterator = iter(wall.read, None)
    path = folder / f"{case.faces}-{case.is_stills}"
    if case.is_stills:
        path.mkdir(exist_ok=True)
        for frame in frames:
            cv2.imwrite(str(path / f"{frame.index:03}.jpg"), frame.image)
        return path
    path = path.with_suffix(".mp4")
    with Mp4File(path, 640, 480, {"crf": "20"}) as file:
        for frame in frames:
            file.write(frame.image, frame.captured_at)
    return path


def whole_run(model: str, *arguments: str) -> float:
    """Seconds a whole process takes to analyse something."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fer_live", "analyze", *arguments, "--out", folder, "--model", model]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def seconds_of(jobs: int, cores: int, model: str, backend: str) -> float:
    """How long as many demos as jobs take in as many processes, which may keep so many cores busy each."""
    with tempfile.TemporaryDirectory() as out:
        tasks = [Task(number, "demo", Path(out) / str(number)) for number in range(jobs)]
        order = Order(Config(model=model), cores=cores)
        started = time.perf_counter()
        run_in_workers(tasks, order, backend, jobs, lambda: None, lambda outcome: None)
        return time.perf_counter() - started


def shown(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def compare(cases: list[Case], backend: str, rounds: int) -> None:
    runs: dict[tuple[Case, Way], list[Run]] = {(case, way): [] for case in cases for way in (one_at_a_time, overlapped)}
    with tempfile.TemporaryDirectory() as folder:
        paths = {case: make_source(case, Path(folder)) for case in cases}
        for _ in range(rounds):
            for case, way in runs:
                runs[case, way].append(run(way, case, paths[case], backend))
    for case in cases:
        one, other = runs[case, one_at_a_time], runs[case, overlapped]
        ratios = [after.rate / before.rate for before, after in zip(one, other, strict=True)]
        rows = {each.rows for each in one + other}
        print(
            f"{case}: {shown([each.rate for each in one], 0)} -> {shown([each.rate for each in other], 0)} frames/s,"
            f" {shown(ratios, 2)} times; cores busy {shown([each.cores for each in one], 2)} ->"
            f" {shown([each.cores for each in other], 2)}; {'same bytes' if len(rows) == 1 else 'bytes differ'}",
            flush=True,
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
    print(f"640x480, {FRAMES} frames or {PHOTOGRAPHS} photographs, {arguments.rounds} rounds in turn; median (min-max)")
    compare(cases, arguments.backend, arguments.rounds)
    photograph = str(resources.files("matplotlib") / "mpl-data/sample_data/grace_hopper.jpg")
    print("load", os.getloadavg())


if __name__ == "__main__":
    main()
