"""What a session comes to: shares of time, changes of label, quality, gaps and latency.

A row stands for the time from its frame to the next analysed one: `held`, in s. Where frames are missing in between it
stands for at most HOLD_S, and the rest is counted for nobody; the last frame stands for the median. Pictures that stand
alone count 1 each. Rows with status `low_quality` have time, but no share in any label (docs/csv.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fer_live.core.labels import UNCERTAIN
from fer_live.record.columns import Status
from fer_live.review.reading import Session

HOLD_S = 0.5
PERCENTILES = (0.5, 0.95, 0.99)
_IS_OK = pl.col("status") == Status.OK
_IS_LOW = pl.col("status") == Status.LOW_QUALITY
_IS_DROPPED = pl.col("status") == Status.DROPPED


def rows_with_time(session: Session) -> pl.DataFrame:
    """The rows of analysed frames, with two more columns: `held`, and `interval` as in marker_intervals."""
    rows = session.frames.with_columns(gaps=_IS_DROPPED.cum_sum()).filter(~_IS_DROPPED)
    if session.is_timed:
        rows = rows.join(_held(rows), on="frame_index", how="left", maintain_order="left")
        interval = session.markers["t_mono_s"].sort().search_sorted(rows["t_mono_s"], side="right")
    else:
        rows = rows.with_columns(held=pl.lit(1.0))
        interval = pl.zeros(len(rows), pl.UInt32, eager=True)
    return rows.with_columns(interval.cast(pl.Int64).alias("interval")).drop("gaps")


def _held(rows: pl.DataFrame) -> pl.DataFrame:
    """frame_index, held; rows has `gaps`, the number of gaps before a row."""
    frames = rows.unique("frame_index", keep="first", maintain_order=True)
    step = frames["t_mono_s"].diff().shift(-1)
    is_whole = frames["gaps"].diff().shift(-1) == 0
    held = frames.select("frame_index", held=pl.when(is_whole).then(step).otherwise(step.clip(upper_bound=HOLD_S)))
    return held.with_columns(pl.col("held").fill_null(held["held"].median() or 0.0))


def marker_intervals(session: Session) -> pl.DataFrame:
    """interval, name, start_s, end_s: before the first marker, then from each to the next or to the end.

    interval counts from 0; name is that of the marker at its start, empty for the first.
    """
    markers = session.markers.sort("t_mono_s", maintain_order=True)
    starts = [0.0, *markers["t_mono_s"]]
    end = max(session.end_s, starts[-1])
    return pl.DataFrame(
        {
            "interval": range(len(starts)),
            "name": ["", *markers["name"]],
            "start_s": starts,
            "end_s": [*starts[1:], end],
        }
    )


def shares(rows: pl.DataFrame, labels: Sequence[str], *by: str) -> pl.DataFrame:
    """Per group of faces: `held` in status ok, the share of each label_smoothed in it, and `low_held`.

    rows: from rows_with_time. by: columns, e.g. face_id. Shares are in [0, 1]; null where all was of low quality.
    """
    held = pl.col("held")
    ok = held.filter(_IS_OK)
    share = [
        pl.when(ok.sum() > 0)
        .then(held.filter(_IS_OK & (pl.col("label_smoothed") == label)).sum() / ok.sum())
        .alias(label)
        for label in (*labels, UNCERTAIN)
    ]
    grouped = rows.filter(pl.col("face_id").is_not_null()).group_by(*by)
    return grouped.agg(ok.sum().alias("held"), *share, held.filter(_IS_LOW).sum().alias("low_held")).sort(*by)


def transitions(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    """How often label_smoothed changed from one label to another between an ok row of a face and its next."""
    pairs = rows.filter(_IS_OK).select(
        before=pl.col("label_smoothed"), after=pl.col("label_smoothed").shift(-1).over("face_id")
    )
    counts = pairs.filter(pl.col("before") != pl.col("after")).group_by("before", "after").len()
    return {(before, after): count for before, after, count in counts.iter_rows()}


def gaps(frames: pl.DataFrame) -> pl.DataFrame:
    """reason, gaps, frames, seconds: what was lost, by reason; the most frames first. frames: of a Session.

    A gap lasts from the last frame before it to the next row. Older sessions give no reason: `unknown`.
    """
    lost = frames.with_columns(lasted=pl.col("t_mono_s").shift(-1) - pl.col("t_mono_s")).filter(_IS_DROPPED)
    return (
        lost.group_by(pl.col("reason").fill_null("unknown"))
        .agg(gaps=pl.len(), frames=pl.col("dropped_before").sum(), seconds=pl.col("lasted").sum())
        .sort("frames", "reason", descending=[True, False])
    )


def low_quality(rows: pl.DataFrame) -> pl.DataFrame:
    """reason, faces (rows), held: rows of low quality by reason, the most first. rows: from rows_with_time."""
    low = rows.filter(_IS_LOW).group_by("reason").agg(faces=pl.len(), held=pl.col("held").sum())
    return low.sort("faces", "reason", descending=[True, False])


def latencies(rows: pl.DataFrame) -> pl.DataFrame:
    """measure, frames, then a column per percentile, ms: of age_ms and infer_ms where they were measured."""
    frames = rows.unique("frame_index", keep="first", maintain_order=True)
    of_measure = [
        frames.select(
            measure=pl.lit(name),
            frames=pl.col(name).count(),
            **{f"p{100 * part:.0f}": pl.col(name).quantile(part, "linear") for part in PERCENTILES},
            max=pl.col(name).max(),
        )
        for name in ("age_ms", "infer_ms")
    ]
    return pl.concat(of_measure).filter(pl.col("frames") > 0)
