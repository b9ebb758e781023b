"""Rate, age, drops and CPU share of the live path, and what recording adds.

python tests/benchmarks/live.py [--model NAME] [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from fer_live.backends.registry import open_backend
from fer_live.capture.opening import LiveSource
from fer_live.capture.paced import PacedSource
from fer_live.capture.wall import RATE_HZ, WallSource
from fer_live.config import Config, RecordingConfig
from fer_live.pipeline.files import open_finder
from fer_live.pipeline.live import LiveSession

WARM_UP_S = 2.0
MODES = {
    "not recording": None,
    "recording rows": RecordingConfig(),
    "recording rows and picture": RecordingConfig(video=True, blur_faces=True),
}


def measure(faces: int, model: str, seconds: float, settings: RecordingConfig | None) -> dict[str, float]:
    """One live session on a camera of 640x480 at 30 Hz."""
    frames = int((seconds + WARM_UP_S + 10) * RATE_HZ)
    source = LiveSource("wall", lambda: PacedSource(WallSource(faces, frames)), is_device=False)
    config = Config()
    session = LiveSession(config, source, lambda: open_finder(config.finder), lambda: open_backend("auto", model))
    ages: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        session.start()
        while session.results.take(1.0) is None:
            pass
        _watch(session, WARM_UP_S, [])
        if settings is not None:
            session.start_recording(Path(folder), settings=settings)
        dropped, busy, started = session.status().dropped, time.process_time(), time.monotonic()
        _watch(session, seconds, ages)
        elapsed = time.monotonic() - started
        busy = time.process_time() - busy
        dropped = session.status().dropped - dropped
        session.stop()
    p50, p95 = np.percentile(ages, (50, 95))
    return {
        "rate_hz": len(ages) / elapsed,
        "age_p50_ms": float(p50),
        "age_p95_ms": float(p95),
        "dropped": dropped,
        "cpu_share": busy / elapsed,
    }


def _watch(session: LiveSession, seconds: float, ages: list[float]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        taken = session.results.take(0.5)
        if taken is not None:
            ages.append(1000 * (taken[1].finished_at - taken[1].captured_at))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    cases = [(faces, mode) for faces in (1, 6) for mode in MODES]
    rows: dict[tuple[int, str], list[dict[str, float]]] = {case: [] for case in cases}
    load_before = os.getloadavg()[0]
    for _ in range(arguments.rounds):
        for faces, mode in cases:
            rows[faces, mode].append(measure(faces, arguments.model, arguments.seconds, MODES[mode]))
    print(f"{arguments.model}, 640x480 at 30 Hz, {arguments.rounds} x {arguments.seconds:.0f} s; median (min-max)")
    print(f"load average {load_before:.1f} before and {os.getloadavg()[0]:.1f} after")
    for faces, mode in cases:
        print(f"{faces} faces, {mode}:", *_spread(rows[faces, mode]), sep="\n  ")
    off, *on = MODES
    for faces, mode in [(faces, mode) for faces in (1, 6) for mode in on]:
        pairs = zip(rows[faces, mode], rows[faces, off], strict=True)
        ratios = [with_it["age_p95_ms"] / without["age_p95_ms"] for with_it, without in pairs]
        print(
            f"{faces} faces, age p95 {mode} / {off}: {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f}-{max(ratios):.2f})"
        )


def _spread(rows: list[dict[str, float]]) -> list[str]:
    return [
        f"{key} {statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
        for key in rows[0]
        if (values := [row[key] for row in rows])
    ]


if __name__ == "__main__":
    main()
