"""What `training.explore` found, as one HTML page that needs nothing else: no script, no network, screen and paper."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live import __version__
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.page import pages_of
from training.duplicates import MAX_BITS, MIN_CORRELATION, NearPairs
from training.exploration import Rows

_SAMPLES, _COLUMNS = 36, 12
_GAP = 2
_MOST_PAIRS, _MOST_GROUPS, _MOST_ROWS = 16, 60, 6


@dataclass(frozen=True)
class Picture:
    """A picture within the page. source: a data URI of a PNG; text: what it shows."""

    source: str
    text: str


def render(rows: Rows, record: dict[str, Any], pairs: NearPairs) -> str:
    """The page. record: `classes`, `pixels`, `repeats`, `contradictions`, `agreement` (None without votes) of
    `training.exploration`, and `validation_made`; pairs: near ones by index of rows."""
    pages = pages_of("training")
    pages.filters |= {"percent": _percent, "number": _number}
    pixels = record["pixels"]
    return pages.get_template("explore.html").render(
        **record,
        labels=FER2013_LABELS,
        usages=rows.names,
        total=len(rows),
        means=[_mean_picture(rows, name) for name in pixels["classes"]],
        samples=[_samples(rows, name) for name, count in record["classes"][rows.names[0]]["counts"].items() if count],
        plain=_called(rows, pixels["plain"]),
        near=[_pair(rows, pairs, index) for index in _least_alike(pairs, mirrored=False)],
        near_mirrored=[_pair(rows, pairs, index) for index in _least_alike(pairs, mirrored=True)],
        contradicting=[_group(rows, group) for group in record["contradictions"]["groups"][:_MOST_GROUPS]],
        max_bits=MAX_BITS,
        min_correlation=MIN_CORRELATION,
        version=__version__,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def _number(count: int) -> str:
    return f"{count:,}"


def _picture(faces: Sequence[NDArray[np.uint8]], columns: int, text: str) -> Picture:
    """Faces, uint8 (48, 48) each, in rows of so many columns, with see-through gaps between them."""
    side = faces[0].shape[0] + _GAP
    lines = -(-len(faces) // columns)
    sheet = np.zeros((lines * side - _GAP, min(columns, len(faces)) * side - _GAP, 4), np.uint8)
    for place, face in enumerate(faces):
        top, left = side * (place // columns), side * (place % columns)
        sheet[top : top + face.shape[0], left : left + face.shape[1]] = cv2.cvtColor(face, cv2.COLOR_GRAY2BGRA)
    png = cv2.imencode(".png", sheet)[1].tobytes()
    return Picture(f"data:image/png;base64,{base64.b64encode(png).decode()}", text)


def _mean_picture(rows: Rows, name: str) -> Picture:
    own = rows.images[rows.labels == FER2013_LABELS.index(name)]
    return _picture([own.mean(axis=0).round().astype(np.uint8)], 1, name)


def _samples(rows: Rows, name: str) -> Picture:
    """Up to 36 faces of a class, drawn with seed 0 from the first usage: faces of a test are better not looked at."""
    own = np.flatnonzero((rows.labels == FER2013_LABELS.index(name)) & (rows.usages == 0))
    drawn = np.random.default_rng(0).permutation(own)[:_SAMPLES]
    return _picture(list(rows.images[drawn]), _COLUMNS, name)


def _least_alike(pairs: NearPairs, mirrored: bool) -> list[int]:
    """The pairs nearest to the limit of correlation."""
    own = np.flatnonzero(pairs.is_mirrored == mirrored)
    chosen: list[int] = own[np.argsort(pairs.correlations[own], kind="stable")][:_MOST_PAIRS].tolist()
    return chosen


def _pair(rows: Rows, pairs: NearPairs, index: int) -> Picture:
    first, second = int(pairs.first[index]), int(pairs.second[index])
    text = f"{rows.called(first)}, {rows.called(second)}, r = {pairs.correlations[index]:.3f}"
    return _picture([rows.images[first], rows.images[second]], 2, text)


def _group(rows: Rows, group: Sequence[int]) -> Picture:
    return _picture([rows.images[group[0]]], 1, _called(rows, group))


def _called(rows: Rows, group: Sequence[int]) -> str:
    """Where rows stand; of many, the first ones and how many others there are."""
    names = [rows.called(row) for row in group[:_MOST_ROWS]]
    return ", ".join(names + ([f"and {len(group) - _MOST_ROWS} more"] if len(group) > _MOST_ROWS else []))
