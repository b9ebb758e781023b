"""FER+: ten more people's votes on each FER2013 row (Barsoum et al. 2016, arXiv 1608.01041), and accuracy by them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import DataError
from training.dataset import Fer2013
from training.layouts import USAGES
from training.metrics import wilson_interval

_EMOTIONS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
_COLUMNS = (*_EMOTIONS, "contempt", "unknown", "NF")
_NO_MAJORITY = -1
_LEAST_AGREEMENT = 0.4
_BANDS = (0.0, 0.5, 0.7, 0.9, 1.0)
_WHERE = (
    "FER+ votes are fer2013new.csv in Microsoft's FERPlus repository on GitHub; they belong to the rows of "
    "fer2013.csv in its own order."
)


@dataclass(frozen=True)
class Votes:
    """The votes on the rows of one usage, in the order of the file.

    majority: int64 (N,), the FER2013 code with the most votes; -1 for a tie, and where contempt, unknown or not-a-face
    has the most. shares: float64 (N,) in (0, 1], the part of all votes that went to the most voted column.
    """

    majority: NDArray[np.int64]
    shares: NDArray[np.float64]


def read_votes(path: Path, usage: str) -> Votes:
    """Reads the rows of a usage from fer2013new.csv; raises DataError naming the row at fault."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            counts = _read_counts(path, csv.reader(file), usage)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' cannot be read: {error}.", _WHERE) from error
    if not counts:
        raise DataError(f"'{path}' has no votes on rows of usage '{usage}'.", _WHERE)
    return _counted(np.array(counts, np.int64))


def _read_counts(path: Path, reader: Any, usage: str) -> list[list[int]]:
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in ("Usage", *_COLUMNS) if name not in header]
    if missing:
        raise DataError(f"'{path}' has no columns {', '.join(missing)}.", _WHERE)
    columns = [header.index(name) for name in _COLUMNS]
    rows = []
    for number, row in enumerate(reader, start=2):
        where = f"Row {number} of '{path}'"
        if len(row) != len(header):
            raise DataError(f"{where} has {len(row)} columns, not {len(header)}.", _WHERE)
        if row[header.index("Usage")].strip() not in USAGES:
            raise DataError(f"{where} has a Usage that is not one of {', '.join(USAGES)}.", _WHERE)
        if row[header.index("Usage")].strip() == usage:
            rows.append(_parse_votes(where, [row[column].strip() for column in columns]))
    return rows


def _parse_votes(where: str, cells: list[str]) -> list[int]:
    if not all(cell.isascii() and cell.isdecimal() and len(cell) < 4 for cell in cells):
        raise DataError(f"{where} has votes that are not whole numbers under 1000.", _WHERE)
    votes = [int(cell) for cell in cells]
    if sum(votes) == 0:
        raise DataError(f"{where} has no votes.", _WHERE)
    return votes


def _counted(counts: NDArray[np.int64]) -> Votes:
    most = counts.max(axis=1)
    codes = [FER2013_LABELS.index(label) for label in _EMOTIONS.values()]
    codes += [_NO_MAJORITY] * (len(_COLUMNS) - len(codes))
    is_tie = (counts == most[:, np.newaxis]).sum(axis=1) > 1
    majority = np.where(is_tie, _NO_MAJORITY, np.array(codes, np.int64)[counts.argmax(axis=1)])
    return Votes(majority, most / counts.sum(axis=1))


def votes_on(data: Fer2013, usage: str, path: Path) -> Votes:
    """The votes on the rows of a usage; raises DataError unless both files are of the same rows in the same order."""
    labels, votes = data.split(usage).labels, read_votes(path, usage)
    if len(votes.majority) != len(labels):
        raise DataError(f"'{path}' votes on {len(votes.majority)} rows of '{usage}'; there are {len(labels)}.", _WHERE)
    agreement = float((votes.majority == labels).mean())
    # Where rows belong together it is 61 %; where they do not, chance leaves under 20 %.
    if agreement < _LEAST_AGREEMENT:
        message = f"'{path}' agrees with only {agreement:.0%} of the labels: its rows are in another order."
        raise DataError(message, _WHERE)
    return votes


def by_agreement(votes: Votes, labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, against the FER2013 labels as always, by how much FER+ voters agree; all arrays are (N,).

    `agrees`, `disagrees`: rows whose FER+ majority is, or is not, the label; no majority is no agreement.
    `bands`: rows with share `from` < share <= `to`, where share is what the most voted column got.
    Accuracy and its interval are None where there is no row.
    """
    correct, agrees = predicted == labels, votes.majority == labels
    bands = []
    for low, high in pairwise(_BANDS):
        inside = (votes.shares > low) & (votes.shares <= high)
        bands.append({"from": low, "to": high, **_accuracy(correct[inside])})
    return {"agrees": _accuracy(correct[agrees]), "disagrees": _accuracy(correct[~agrees]), "bands": bands}


def _accuracy(correct: NDArray[np.bool_]) -> dict[str, Any]:
    hits, count = int(correct.sum()), len(correct)
    if count == 0:
        return {"n": 0, "accuracy": None, "accuracy_ci95": None}
    return {"n": count, "accuracy": hits / count, "accuracy_ci95": list(wilson_interval(hits, count))}
