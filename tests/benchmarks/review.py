"""How long a one-hour session takes to open, summarise, report and convert.

python tests/benchmarks/review.py [--rounds N]     (an hour of 30 Hz with 2 faces: 216,000 rows)
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from fer_live.backends.registry import find_weights
from fer_live.core.modelcard import ModelCard, card_path, load_card
from fer_live.core.structs import Result, Track
from fer_live.record.session import SessionWriter

RATE_HZ, SECONDS, FACES = 30, 3600, 2


def results(card: ModelCard, count: int, rng: np.random.Generator) -> Iterator[Result]:
    """So many frames of faces whose expression wanders; one in fifty is of low quality.

    One frame in a hundred is dropped between them, and 30 s are lost in the middle.
    """
    logits = np.zeros((FACES, len(card.labels)))
    dropped = np.cumsum(rng.random(count) < 0.01) + 30 * RATE_HZ * (np.arange(count) > count // 2)
    for index in np.arange(count) + dropped:
        at = float(index / RATE_HZ)
        logits = 0.995 * logits + 0.15 * rng.normal(size=logits.shape)
        smooth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        raw = np.exp(logits + 0.3 * rng.normal(size=logits.shape))
        raw /= raw.sum(axis=1, keepdims=True)
        tracks = tuple(_track(face, raw[face], smooth[face], rng) for face in range(FACES))
        yield Result(int(index), at, at + rng.gamma(9, 0.0015), tracks, {"infer": rng.gamma(9, 0.4)})


def _track(face: int, raw: np.ndarray, smooth: np.ndarray, rng: np.random.Generator) -> Track:  # type: ignore[type-arg]
    box = np.array([100 + 300 * face, 80, 260 + 300 * face, 240], np.float32) + rng.normal(size=4).astype(np.float32)
    label = int(smooth.argmax()) if smooth.max() > 0.3 else None
    reason = "" if rng.random() > 0.02 else ("turned", "blurred", "too_small")[rng.integers(3)]
    return Track(face + 1, box, 0.9, raw.astype(np.float32), smooth.astype(np.float32), label, 9, 1.0, reason)


def make_session(folder: Path, seconds: float = SECONDS) -> Path:
    """Writes the session into a new folder."""
    folder.mkdir(parents=True)
    card = load_card(card_path(find_weights("resnet18")))
    facts = {"kind": "record", "source": {"name": "benchmark"}, "model_card": card.model_dump(mode="json")}
    start = datetime(2026, 1, 2, 10, tzinfo=UTC)
    writer = SessionWriter(folder, folder.name, card.labels, facts, start_wall=start)
    for result in results(card, round(RATE_HZ * seconds), np.random.default_rng(0)):
        writer.write(result)
    writer.close()
    return folder


def measure(session: Path, rounds: int) -> None:
    """Prints median (min-max) of the rounds, s, of wall time and of CPU time, each step in turn in every round."""
    from fer_live.review.convert import LAYOUTS, convert_session
    from fer_live.review.reading import open_session
    from fer_live.review.report import write_report
    from fer_live.review.summary import rows_with_time, shares

    def summarise() -> None:
        opened = open_session(session)
        shares(rows_with_time(opened), opened.labels, "face_id")

    steps: dict[str, Callable[[], object]] = {
        "open": lambda: open_session(session),
        "open and summarise": summarise,
        "report": lambda: write_report([session]),
        **{f"convert to {layout}": partial(convert_session, session, layout) for layout in LAYOUTS},
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            step()
            taken[name].append((time.perf_counter() - wall_s, time.process_time() - cpu_s))
    print(f"{len(open_session(session).frames)} rows, {rounds} rounds, s: median (min-max)")
    for name, times in taken.items():
        wall, cpu = (_spread(each) for each in zip(*times, strict=True))
        print(f"{name:20} wall {wall}   CPU {cpu}")


def _spread(seconds: tuple[float, ...]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--make", type=Path, metavar="DIR", help="only write the session, into this new folder")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    if arguments.make:
        make_session(arguments.make, arguments.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(make_session(Path(folder) / "session", arguments.seconds), arguments.rounds)


if __name__ == "__main__":
    main()
