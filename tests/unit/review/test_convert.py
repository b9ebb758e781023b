"""What is written is read back by pandas, as the tools' own readers do, against the columns those readers name."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from fer_live.errors import RecordError
from fer_live.record.columns import column_names
from fer_live.review.convert import LAYOUTS, convert_session
from fer_live.review.reading import open_session
from tests.unit.review.conftest import WriteSession, face, result

FEX_FACEBOX = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]
FEX_EMOTIONS = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
OPENFACE_FIRST = ["frame", "face_id", "timestamp", "confidence", "success"]


@pytest.fixture
def session(write_session: WriteSession) -> Path:
    """Two faces; one of low quality; no face; two frames dropped; a face after more than a minute."""
    return write_session(
        result(0, 0.0, face(1, "angry"), face(2, "sad")),
        result(1, 0.0336, face(1, "happy", reason="blurred")),
        result(2, 0.1),
        result(5, 61.5, face(3, "happy")),
    )


def test_parquet_has_all_rows_and_columns_typed(session: Path) -> None:
    path = convert_session(session, "parquet")
    assert path == session / "frames.parquet"
    table = pd.read_parquet(path)
    opened = open_session(session)
    assert tuple(table.columns) == column_names(opened.labels)
    assert table["t_mono_s"].dtype == float
    assert list(table["status"]) == ["ok", "ok", "low_quality", "no_face", "dropped", "ok"]
    assert pl.read_parquet(path).equals(opened.frames)


def test_py_feat_reads_its_fex(session: Path) -> None:
    path = convert_session(session, "py-feat")
    assert path == session / "py-feat.csv"
    fex = pd.read_csv(path)
    assert list(fex.columns) == [*FEX_FACEBOX, *FEX_EMOTIONS, "Identity", "frame", "approx_time"]
    assert list(fex["frame"]) == [0, 0, 1, 2, 5]
    assert list(fex["approx_time"]) == ["00:00", "00:00", "00:00", "00:00", "01:01"]
    assert list(fex.loc[0, FEX_FACEBOX]) == pytest.approx([10, 20, 30, 40, 0.9])
    assert list(fex.loc[[0, 1, 4], FEX_EMOTIONS].idxmax(axis=1)) == ["anger", "sadness", "happiness"]
    assert list(fex.loc[[0, 1, 4], FEX_EMOTIONS].sum(axis=1)) == pytest.approx([1, 1, 1], abs=1e-4)
    assert list(fex["Identity"].fillna("")) == ["Person_1", "Person_2", "Person_1", "", "Person_3"]


def test_py_feat_has_no_emotion_where_quality_was_low_or_no_face(session: Path) -> None:
    fex = pd.read_csv(convert_session(session, "py-feat"))
    assert fex.loc[[2, 3], FEX_EMOTIONS].isna().all(axis=None)
    assert list(fex.loc[[2, 3], "FaceScore"].isna()) == [False, True]


def test_openface_readers_find_their_columns(session: Path) -> None:
    path = convert_session(session, "openface")
    assert path.read_text().startswith("frame, face_id, timestamp, confidence, success, emotion_angry")
    stripped = pd.read_csv(path, sep=",")
    stripped.columns = stripped.columns.str.strip(" ")
    table = pd.read_csv(path, skipinitialspace=True)
    assert stripped.equals(table)
    assert list(table.columns[:5]) == OPENFACE_FIRST
    assert list(table["frame"]) == [1, 1, 2, 3, 6]
    assert list(table["face_id"]) == [1, 2, 1, 0, 3]
    assert list(table["timestamp"]) == [0, 0, 0.034, 0.1, 61.5]
    assert list(table["confidence"]) == [0.9, 0.9, 0.9, 0, 0.9]
    assert list(table["success"]) == [1, 1, 0, 0, 1]
    assert table.loc[1, "emotion_sad"] == pytest.approx(0.7)
    assert not any(name.startswith("p_") for name in table.columns)  # that is OpenFace's face shape


@pytest.mark.parametrize("layout", LAYOUTS)
def test_stills_and_empty_sessions_are_written(write_session: WriteSession, tmp_path: Path, layout: str) -> None:
    stills = write_session(result(0, 0.0, face()), name="stills", is_live=False, timed=False)
    for folder, rows in ((stills, 1), (write_session(name="empty"), 0)):
        path = convert_session(folder, layout, tmp_path / "out")
        table = pd.read_parquet(path) if layout == "parquet" else pd.read_csv(path, skipinitialspace=True)
        assert len(table) == rows
        time = {"parquet": "t_mono_s", "py-feat": "approx_time", "openface": "timestamp"}[layout]
        assert table[time].isna().all()


def test_place_that_cannot_be_written_is_named(session: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"nowhere/rows\.csv' cannot be written.*--out"):
        convert_session(session, "py-feat", tmp_path / "nowhere" / "rows.csv")
