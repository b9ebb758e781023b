"""Sessions written by the app's own writer."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS, ModelCard
from fer_live.core.structs import Result, Track
from fer_live.record.session import SessionWriter
from fer_live.review.reading import MARKER_TYPES

WriteSession = Callable[..., Path]


def face(
    face_id: int = 1, label: str = "happy", share: float = 0.7, shown: str | None = "", reason: str = ""
) -> Track:
    """A face whose most probable label has a probability. shown: the smoothed label if another; None if uncertain."""
    probabilities = np.full(len(FER2013_LABELS), (1 - share) / (len(FER2013_LABELS) - 1), np.float32)
    probabilities[FER2013_LABELS.index(label)] = share
    index = None if shown is None else FER2013_LABELS.index(shown or label)
    box = np.array([10, 20, 40, 60], np.float32)
    return Track(face_id, box, 0.9, probabilities, probabilities, index, 1, 0.0, reason)


def result(index: int, at: float, *tracks: Track, age_ms: float = 20.0) -> Result:
    """A frame's result; timings and latency are whole numbers of milliseconds."""
    return Result(index, at, at + age_ms / 1000, tracks, {"infer": 5.0})


def mark(folder: Path, *markers: tuple[float, str]) -> None:
    """Writes markers.csv: times, s, and names."""
    with (folder / "markers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(MARKER_TYPES)
        writer.writerows((number, at, "", 0, name, "key") for number, (at, name) in enumerate(markers, 1))


def session_in(
    parent: Path,
    *results: Result,
    name: str = "session",
    is_live: bool = True,
    timed: bool = True,
    files: tuple[str, ...] = (),
) -> Path:
    """Writes a closed session of these results into a folder with this name."""
    folder = parent / name
    folder.mkdir()
    facts = {"kind": "record", "source": {"name": "demo"}, "model_card": _card().model_dump(mode="json")}
    start = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) if is_live else None
    writer = SessionWriter(folder, name, FER2013_LABELS, facts, start_wall=start, timed=timed, files=files)
    for each in results:
        writer.write(each)
    writer.close()
    return folder


@pytest.fixture
def write_session(tmp_path: Path) -> WriteSession:
    """`session_in` for a test's own folder."""
    return partial(session_in, tmp_path)


def _card() -> ModelCard:
    return ModelCard(
        name="tiny",
        labels=FER2013_LABELS,
        validation={
            "usage": "PublicTest",
            "n": 200,
            "accuracy": 0.625,
            "per_class": {"happy": {"recall": 0.9, "precision": 0.8}, "fear": {"recall": 0.2, "precision": 0.5}},
        },
        limits="Small pictures found by web search.",
    )
