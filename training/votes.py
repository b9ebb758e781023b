"""FER+: ten more people's votes on each FER2013 row (Barsoum et al. 2016, arXiv 1608.01041), and what they tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import DataError
from training.dataset import Fer2013, Split
from training.layouts import TRAINING, parse_usage, rows_of_csv
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
_LEAVES, _LEARNING_RATE = 8, 0.1
_WHERE = (
    "FER+ votes are fer2013new.csv in Microsoft's FERPlus repository on GitHub; they belong to the rows of "
    "fer2013.csv in its own order."
)
FOLDS = 5
"""In which rows are dealt out, so that what votes mean is learnt from other rows than are told by it."""


@dataclass(frozen=True)
class Votes:
    """The votes on the rows of one usage, in the order of the file.

    counts: int64 (N, 10), votes for anger, disgust, fear, happiness, sadness, surprise, neutral, contempt, unknown and
    not a face.
    """

    counts: NDArray[np.int64]

    @property
    def majority(self) -> NDArray[np.int64]:
        """int64 (N,), the FER2013 code with the most votes; -1 for a tie, and where none of the seven has the most."""
        codes = [FER2013_LABELS.index(label) for label in _EMOTIONS.values()]
        codes += [_NO_MAJORITY] * (len(_COLUMNS) - len(codes))
        is_tie = (self.counts == self.counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
        return np.where(is_tie, _NO_MAJORITY, np.array(codes, np.int64)[self.counts.argmax(axis=1)])

    @property
    def shares(self) -> NDArray[np.float64]:
        """float64 (N,) in (0, 1], the part of all votes that went to the most voted column."""
        return np.asarray(self.counts.max(axis=1) / self.counts.sum(axis=1), np.float64)


def read_votes(path: Path, usage: str) -> Votes:
    """Reads the rows of a usage from fer2013new.csv, plain, .gz or .zip; raises DataError naming the row at fault."""
    counts = [
        _parse_votes(where, [row[column] for column in _COLUMNS])
        for where, row in rows_of_csv(path, ("fer2013new.csv",), ("Usage", *_COLUMNS), _WHERE)
        if parse_usage(where, row["Usage"]) == usage
    ]
    if not counts:
        raise DataError(f"'{path}' has no votes on rows of usage '{usage}'.", _WHERE)
    return Votes(np.array(counts, np.int64))


def _parse_votes(where: str, cells: list[str]) -> list[int]:
    if not all(cell.isascii() and cell.isdecimal() and len(cell) < 4 for cell in cells):
        raise DataError(f"{where} has votes that are not whole numbers under 1000.", _WHERE)
    votes = [int(cell) for cell in cells]
    if sum(votes) == 0:
        raise DataError(f"{where} has no votes.", _WHERE)
    return votes


def votes_on(data: Fer2013, usage: str, path: Path) -> Votes:
    """The votes on the rows of a usage; raises DataError unless both files are of the same rows in the same order."""
    labels, votes = data.split(usage).labels, read_votes(path, usage)
    if len(votes.counts) != len(labels):
        raise DataError(f"'{path}' votes on {len(votes.counts)} rows of '{usage}'; there are {len(labels)}.", _WHERE)
    agreement = float((votes.majority == labels).mean())
    # Where rows belong together it is 61 %; where they do not, chance leaves under 20 %.
    if agreement < _LEAST_AGREEMENT:
        message = f"'{path}' agrees with only {agreement:.0%} of the labels: its rows are in another order."
        raise DataError(message, _WHERE)
    return votes


def with_votes(data: Fer2013, path: Path) -> Fer2013:
    """The data with the votes on its Training rows; raises what votes_on does."""
    rows = replace(data.split(TRAINING), votes=votes_on(data, TRAINING, path).counts)
    return replace(data, splits=data.splits | {TRAINING: rows})


def opinion_of_voters(rows: Split) -> NDArray[np.float32]:
    """How likely each label of FER2013 is for faces with such votes: probabilities float32 (N, K).

    Voters saw a face and chose among ten words; FER2013's label is the word a picture was searched by. So what votes
    mean is learnt from the rows, by gradient boosting, and each row is told by the other folds, which hold no face with
    its pixels.
    """
    assert rows.votes is not None
    groups = np.unique(rows.pixel_hashes(), return_inverse=True)[1]
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    learner = HistGradientBoostingClassifier(
        max_leaf_nodes=_LEAVES, learning_rate=_LEARNING_RATE, early_stopping=False, random_state=0
    )
    shares = rows.votes / rows.votes.sum(axis=1, keepdims=True)
    opinion = cross_val_predict(learner, shares, rows.labels, groups=groups, cv=folds, method="predict_proba")
    return np.asarray(opinion, np.float32)


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
