"""Outlets that run on a thread, and what they are given to send."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.outlets.outlet import Line, Outlet

LABELS = FER2013_LABELS
HAPPY = LABELS.index("happy")


def track(face_id: int, reason: str = "", label_index: int | None = HAPPY) -> Track:
    """A face that is happy, with 0.64, and nothing else as much."""
    smoothed = np.full(len(LABELS), 0.06, np.float32)
    smoothed[HAPPY] = 0.64
    raw = np.full(len(LABELS), 1 / len(LABELS), np.float32)
    box = np.array([10, 20, 40, 60], np.float32)
    return replace(Track(face_id, box, 0.9, raw, smoothed, label_index, 1, 0.0), reason=reason)


def result(index: int, *tracks: Track, at: float | None = None) -> Result:
    """A frame with these faces; at: now, if not given."""
    captured_at = time.perf_counter() if at is None else at
    return Result(index, captured_at, captured_at + 0.02, tracks)


class Running:
    """An outlet on its thread, and the markers that came in."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.markers: list[tuple[str, str]] = []
        outlet.on_marker = lambda name, origin: self.markers.append((name, origin))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=outlet.run, args=(self._stop,), name=outlet.name)
        self._thread.start()

    def send(self, *results: Result) -> None:
        for each in results:
            self.outlet.send(each, LABELS)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def run() -> Iterator[Callable[[Callable[[], Line]], Running]]:
    """Runs a line until the end of the test."""
    started: list[Running] = []

    def start(make_line: Callable[[], Line]) -> Running:
        started.append(Running(Outlet("test", make_line)))
        return started[-1]

    yield start
    for each in started:
        each.stop()
