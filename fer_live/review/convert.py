"""A session's rows in the layouts of other tools; docs/csv.md says which column is which."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fer_live import files
from fer_live.errors import RecordError
from fer_live.record.columns import Status
from fer_live.record.session import FRAMES_PARQUET, OPENFACE_CSV, PY_FEAT_CSV
from fer_live.review.reading import Session, open_session

PY_FEAT_EMOTIONS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""py-feat 1's columns of emotion (FEAT_EMOTION_COLUMNS in its feat/utils) and the labels that fill them."""

_IS_FACE = pl.col("face_id").is_not_null()
_IS_OK = pl.col("status") == Status.OK


@dataclass(frozen=True)
class Layout:
    """How a tool keeps rows: the name of the file in the session's folder, and its bytes."""

    file_name: str
    encode: Callable[[Session], bytes]


def _parquet(session: Session) -> bytes:
    """All rows and columns, typed."""
    content = io.BytesIO()
    session.frames.write_parquet(content)
    return content.getvalue()


def _py_feat(session: Session) -> bytes:
    """A Fex of py-feat 1: a row per face, or per frame without one; emotions are empty where quality was low."""
    seconds = pl.col("t_mono_s").floor().cast(pl.Int64)
    minutes_and_seconds = pl.format(
        "{}:{}", (seconds // 60).cast(pl.String).str.zfill(2), (seconds % 60).cast(pl.String).str.zfill(2)
    )
    emotions = {
        name: pl.when(_IS_OK).then(f"p_{label}") if label in session.labels else pl.lit(None, pl.Float64)
        for name, label in PY_FEAT_EMOTIONS.items()
    }
    table = _analysed(session).select(
        FaceRectX="x",
        FaceRectY="y",
        FaceRectWidth="w",
        FaceRectHeight="h",
        FaceScore="detection_score",
        **emotions,
        Identity=pl.when(_IS_FACE).then(pl.format("Person_{}", "face_id")),
        frame="frame_index",
        approx_time=minutes_and_seconds,
    )
    return table.write_csv().encode()


def _openface(session: Session) -> bytes:
    """OpenFace 2's columns of time and success, then our probabilities; ', ' between all, as OpenFace writes it."""
    emotions = {f"emotion_{label}": pl.col(f"p_{label}").fill_null(0.0) for label in session.labels}
    table = _analysed(session).select(
        frame=pl.col("frame_index") + 1,
        face_id=pl.col("face_id").fill_null(0),
        timestamp=pl.col("t_mono_s").round(3),
        confidence=pl.col("detection_score").fill_null(0.0).round(2),
        success=_IS_OK.cast(pl.Int8),
        **emotions,
    )
    # No field holds a comma: all are numbers.
    return table.write_csv().replace(",", ", ").encode()


def _analysed(session: Session) -> pl.DataFrame:
    return session.frames.filter(pl.col("status") != Status.DROPPED)


LAYOUTS = {
    "parquet": Layout(FRAMES_PARQUET, _parquet),
    "py-feat": Layout(PY_FEAT_CSV, _py_feat),
    "openface": Layout(OPENFACE_CSV, _openface),
}


def convert_session(folder: Path, layout: str, out: Path | None = None) -> Path:
    """Writes a session's rows in a layout, a key of LAYOUTS, and returns the path, by default in the session's folder.

    Raises RecordError if the session cannot be read or the file not be written.
    """
    path = out or folder / LAYOUTS[layout].file_name
    content = LAYOUTS[layout].encode(open_session(folder))
    try:
        files.replace_file(path, content)
    except OSError as error:
        problem = f"'{path}' cannot be written ({error.strerror})."
        raise RecordError(problem, "Choose another place with --out.") from error
    return path
