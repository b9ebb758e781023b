"""What is in a data set, in numbers: classes, pixels, pictures it has twice, contradictions, agreement with FER+."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from fer_live.core.modelcard import FER2013_LABELS
from training.dataset import Fer2013
from training.duplicates import NearPairs, find_near, number_pictures
from training.metrics import wilson_interval
from training.votes import votes_on


@dataclass(frozen=True)
class Rows:
    """All rows of a data set, split after split.

    images: uint8 (N, 48, 48). labels: int64 (N,), FER2013 codes. usages: int64 (N,), index into names.
    places: int64 (N,), row within the usage, from 0. pictures: intp (N,), rows of one number have the same pixels.
    """

    names: tuple[str, ...]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usages: NDArray[np.int64]
    places: NDArray[np.int64]
    pictures: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.labels)

    def called(self, row: int) -> str:
        """Where a row stands, for people: 'Training 17 (happy)'."""
        usage, label = self.names[self.usages[row]], FER2013_LABELS[self.labels[row]]
        return f"{usage} {self.places[row]} ({label})"


def gather(data: Fer2013) -> Rows:
    """The rows of all splits in one."""
    splits = list(data.splits.values())
    return Rows(
        tuple(split.usage for split in splits),
        np.concatenate([split.images for split in splits]),
        np.concatenate([split.labels for split in splits]),
        np.repeat(np.arange(len(splits)), [len(split) for split in splits]),
        np.concatenate([np.arange(len(split)) for split in splits]),
        number_pictures([digest for split in splits for digest in split.pixel_hashes()]),
    )


def class_counts(rows: Rows) -> dict[str, Any]:
    """`counts`, rows by class of each usage; per usage the `largest` class, its `share`, and `imbalance`.

    imbalance: rows of the largest class for each of the smallest that has any.
    """
    record: dict[str, Any] = {}
    for code, name in enumerate(rows.names):
        counts = np.bincount(rows.labels[rows.usages == code], minlength=len(FER2013_LABELS))
        record[name] = {
            "n": int(counts.sum()),
            "counts": dict(zip(FER2013_LABELS, counts.tolist(), strict=True)),
            "largest": FER2013_LABELS[counts.argmax()],
            "smallest": FER2013_LABELS[np.where(counts > 0, counts, counts.max()).argmin()],
            "share": float(counts.max() / counts.sum()),
            "imbalance": float(counts.max() / counts[counts > 0].min()),
        }
    return record


def pixel_figures(rows: Rows) -> dict[str, Any]:
    """Grey values, 0 to 255, of each class that has rows, and the rows that show nothing.

    brightness, brightness_spread: mean and standard deviation over rows of a row's mean grey. contrast: mean over rows
    of the standard deviation within a row. plain, black: indices of rows whose pixels are all the same, or all 0.
    explained: share of the variance of brightness that lies between classes.
    """
    flat = rows.images.reshape(len(rows), -1)
    means, contrasts = flat.mean(axis=1), flat.std(axis=1)
    classes = {}
    for code, name in enumerate(FER2013_LABELS):
        own = rows.labels == code
        if own.any():
            classes[name] = {
                "n": int(own.sum()),
                "brightness": float(means[own].mean()),
                "brightness_spread": float(means[own].std()),
                "contrast": float(contrasts[own].mean()),
                "plain": int((contrasts[own] == 0).sum()),
            }
    within = sum(figures["n"] * figures["brightness_spread"] ** 2 for figures in classes.values()) / len(rows)
    return {
        "classes": classes,
        "spread": float(means.std()),
        "explained": 1 - within / float(means.var()) if means.var() > 0 else 0.0,
        "plain": np.flatnonzero(contrasts == 0).tolist(),
        "black": np.flatnonzero(flat.max(axis=1) == 0).tolist(),
    }


def repeats(rows: Rows) -> tuple[dict[str, Any], NearPairs]:
    """Rows that stand elsewhere, too, and the near pairs, by index of rows, each picture at its first row.

    `groups`, `rows`: pictures that several rows have, and those rows. `near_pairs`, `mirrored`: pairs of different
    pictures. `near_other_label`: near pairs whose first rows have different labels.
    `by_usage[a][b]`: of the rows of usage a, how many have the same picture as another row of usage b (`exact`), or
    else a near one there (`near`).
    """
    counts = np.zeros((int(rows.pictures.max()) + 1, len(rows.names)), np.int64)
    np.add.at(counts, (rows.pictures, rows.usages), 1)
    _, first_rows = np.unique(rows.pictures, return_index=True)
    pairs = find_near(rows.images[first_rows])
    several = counts.sum(axis=1) > 1
    at_rows = NearPairs(first_rows[pairs.first], first_rows[pairs.second], pairs.is_mirrored, pairs.correlations)
    record = {
        "groups": int(several.sum()),
        "rows": int(counts[several].sum()),
        "near_pairs": len(pairs),
        "mirrored": int(pairs.is_mirrored.sum()),
        "near_other_label": int((rows.labels[at_rows.first] != rows.labels[at_rows.second]).sum()),
        "by_usage": _by_usage(rows, counts, pairs),
    }
    return record, at_rows


def _by_usage(rows: Rows, counts: NDArray[np.int64], pairs: NearPairs) -> dict[str, dict[str, dict[str, int]]]:
    """See `repeats`. counts: rows of each picture in each usage; pairs: by number of picture."""
    ends = (np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first]))
    neighbours = coo_array((np.ones(len(ends[0]), np.int64), ends), (len(counts), len(counts))).tocsr() @ counts
    table: dict[str, dict[str, dict[str, int]]] = {}
    for code, name in enumerate(rows.names):
        own = rows.pictures[rows.usages == code]
        # A row is not its own repeat.
        exact = counts[own] - (np.arange(len(rows.names)) == code) > 0
        near = (neighbours[own] > 0) & ~exact
        table[name] = {
            other: {"exact": int(exact[:, column].sum()), "near": int(near[:, column].sum())}
            for column, other in enumerate(rows.names)
        }
    return table


def contradictions(rows: Rows) -> dict[str, Any]:
    """`groups` of row indices that have the same pixels but not the same label, their `rows`, and `errors`.

    errors: rows that no network can call right, since it gives all rows of a group one answer.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for row, picture in enumerate(rows.pictures.tolist()):
        members[picture].append(row)
    groups = [group for group in members.values() if len(set(rows.labels[group].tolist())) > 1]
    errors = sum(len(group) - int(np.bincount(rows.labels[group]).max()) for group in groups)
    return {"groups": groups, "rows": sum(map(len, groups)), "errors": errors}


def agreement(data: Fer2013, votes: Path) -> dict[str, Any]:
    """How often the most voted emotion of FER+ is the label, by usage and, all usages together, by class.

    `usages`: n, agrees, agrees_ci95, no_majority (shares), mean_share: of a row's votes, what the most voted got.
    `table`: int64 (7, 8) as lists, rows by label and by majority, the last column for none.
    Raises DataError unless the file has votes on exactly these rows.
    """
    usages = {}
    table = np.zeros((len(FER2013_LABELS), len(FER2013_LABELS) + 1), np.int64)
    for name, split in data.splits.items():
        voted = votes_on(data, name, votes)
        # -1, for no majority, is the last column.
        np.add.at(table, (split.labels, voted.majority), 1)
        agreed = int((voted.majority == split.labels).sum())
        usages[name] = {
            "n": len(split),
            "agrees": agreed / len(split),
            "agrees_ci95": list(wilson_interval(agreed, len(split))),
            "no_majority": float((voted.majority < 0).mean()),
            "mean_share": float(voted.shares.mean()),
        }
    return {"usages": usages, "table": table.tolist()}
