"""Rows of a session turned back into the records that live use shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from fer_live.core.structs import Result, Track
from fer_live.record.columns import Status
from fer_live.review.reading import Session
from fer_live.review.series import GAP_S

_NEAR = 64
"""More faces than fit a picture: rows of one frame stand together."""


def result_at(session: Session, time_s: float) -> Result:
    """The result of the last analysed frame until a time of the session, s; without tracks if that is in a gap.

    Its tracks' smoothed probabilities are those of this frame alone, as no others are recorded; their label is the
    smoothed one.
    """
    row = int(session.frames["t_mono_s"].search_sorted(time_s, "right"))
    before = session.frames.slice(max(0, row - _NEAR), min(row, _NEAR))
    analysed = before.filter(pl.col("status") != Status.DROPPED, pl.col("t_mono_s") >= time_s - GAP_S)
    if not len(analysed):
        return Result(0, time_s, time_s, ())
    index, at_s = analysed.select("frame_index", "t_mono_s").row(-1)
    faces = analysed.filter(pl.col("frame_index") == index, pl.col("face_id").is_not_null())
    return Result(index, at_s, at_s, tuple(_track(row, session.labels) for row in faces.iter_rows(named=True)))


def _track(row: dict[str, Any], labels: tuple[str, ...]) -> Track:
    probabilities = np.array([row[f"p_{label}"] for label in labels], np.float32)
    shown = row["label_smoothed"]
    box = np.array([row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"]], np.float32)
    return Track(
        face_id=row["face_id"],
        box=box,
        score=row["detection_score"],
        probabilities=probabilities,
        smoothed=probabilities,
        label_index=labels.index(shown) if shown in labels else None,
        hits=1,
        age_s=0.0,
        reason=row["reason"] or "",
    )
