"""A session as arrays over time, for drawing and for looking moments up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fer_live.core.labels import UNCERTAIN
from fer_live.errors import RecordError
from fer_live.record.columns import Status
from fer_live.review.reading import Session

GAP_S = 0.5
"""Longest time between two looks at a face that are drawn as one line."""

Spans = NDArray[np.float64]
"""float64 (M, 2): begin and end of each, s, in order."""


@dataclass(frozen=True)
class FaceSeries:
    """One face over its N rows.

    rows: intp (N,), row numbers in Session.frames. times: float64 (N,), t_mono_s, never decreasing. values: float64
    (N, K), probabilities of each frame alone. shown: intp (N,), index of the smoothed label, -1 while uncertain.
    absent: spans in which it was not seen for longer than GAP_S, from the session's begin to its end. low: spans of
    low quality.
    """

    rows: NDArray[np.intp]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    shown: NDArray[np.intp]
    absent: Spans
    low: Spans

    def row_at(self, time_s: float) -> int | None:
        """The row in Session.frames of the last look at this face until a time, if that is not in a gap."""
        place = int(np.searchsorted(self.times, time_s, "right")) - 1
        if place < 0 or time_s - self.times[place] > GAP_S:
            return None
        return int(self.rows[place])

    def shown_spans(self, index: int) -> Spans:
        """When a label was shown; -1 for uncertain."""
        return _spans(self.times, self.shown == index)


def length_s(session: Session) -> float:
    """Time of the last row, s; raises RecordError if rows have no times or there are none."""
    longest = session.frames["t_mono_s"].max()
    if not isinstance(longest, float):
        raise RecordError(
            f"'{session.folder}' has no timeline: its rows have no times.",
            "Pictures that stand alone are best read with `fer-live report`, or as a table.",
        )
    return longest


def face_ids(session: Session) -> list[int]:
    """Faces, the one with the most rows first."""
    counts = session.frames["face_id"].drop_nulls().value_counts().sort(["count", "face_id"], descending=[True, False])
    return counts["face_id"].to_list()


def face_series(session: Session, face_id: int) -> FaceSeries:
    """One face of a session with times."""
    rows = session.frames.with_row_index("row").filter(pl.col("face_id") == face_id, pl.col("t_mono_s").is_not_null())
    times = rows["t_mono_s"].to_numpy()
    indices: dict[str, int] = {label: index for index, label in enumerate(session.labels)} | {UNCERTAIN: -1}
    edges = np.concatenate([[0.0], times, [length_s(session)]])
    breaks = np.flatnonzero(np.diff(edges) > GAP_S)
    return FaceSeries(
        rows=rows["row"].to_numpy().astype(np.intp),
        times=times,
        values=rows.select(f"p_{label}" for label in session.labels).to_numpy(),
        shown=rows["label_smoothed"].replace_strict(indices, default=-1, return_dtype=pl.Int64).to_numpy(),
        absent=np.stack([edges[breaks], edges[breaks + 1]], axis=1),
        low=_spans(times, (rows["status"] == Status.LOW_QUALITY).to_numpy()),
    )


def _spans(times: NDArray[np.float64], is_so: NDArray[np.bool_]) -> Spans:
    """Runs of rows in which something is so: from the first of them until the row after it, if that is no gap."""
    if not len(times):
        return np.empty((0, 2))
    steps = np.diff(times, append=times[-1])
    ends = times + np.where(steps > GAP_S, 0.0, steps)
    is_joined = np.concatenate([[False], is_so[1:] & is_so[:-1] & (steps[:-1] <= GAP_S)])
    is_last = np.append(~is_joined[1:], True)
    return np.stack([times[is_so & ~is_joined], ends[is_so & is_last]], axis=1)
