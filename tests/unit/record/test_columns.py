from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Affect, Result, Track
from fer_live.record.clocks import WallClock
from fer_live.record.columns import GapReason, RowFormatter, column_names

# As in docs/csv.md, the definition; a change here breaks the files of every user.
HEADER = (
    "session_id,frame_index,t_mono_s,t_wall_iso,status,face_id,x,y,w,h,detection_score,"
    "p_angry,p_disgust,p_fear,p_happy,p_sad,p_surprise,p_neutral,label,confidence,"
    "label_smoothed,confidence_smoothed,infer_ms,age_ms,dropped_before,valence,arousal,reason,source_file\n"
)
_START = datetime(2026, 3, 29, 0, 59, 59, 500_000, tzinfo=UTC)


def _track(face_id: int = 1, label_index: int | None = 6) -> Track:
    return Track(
        face_id=face_id,
        box=np.array([-3.25, 20, 56.75, 90.5], np.float32),
        score=0.91239,
        probabilities=np.array([0.1, 0, 0, 0.6, 0.1, 0.1, 0.1], np.float32),
        smoothed=np.array([0.1, 0, 0, 0.3, 0.1, 0.1, 0.4], np.float32),
        label_index=label_index,
        hits=1,
        age_s=0.0,
    )


def _result(*tracks: Track, index: int = 7) -> Result:
    return Result(index, 10.0, 10.0421, tracks, {"infer": 1.23456})


def _fields(line: str) -> dict[str, str]:
    assert line.endswith("\n")
    return dict(zip(HEADER.strip().split(","), line.rstrip("\n").split(","), strict=True))


def _formatter(start_wall: datetime | None = None, timed: bool = True) -> RowFormatter:
    return RowFormatter("abc", FER2013_LABELS, None if start_wall is None else WallClock(start_wall), timed)


def test_header_is_the_definition() -> None:
    assert _formatter().header() == HEADER


def test_columns_follow_the_labels_of_the_card() -> None:
    names = column_names(("glad", "mad"))
    assert names[10:14] == ("detection_score", "p_glad", "p_mad", "label")


def test_a_face_fills_its_row() -> None:
    row = _fields(_formatter().result(_result(_track()), 0.5))
    assert row == {
        "session_id": "abc",
        "frame_index": "7",
        "t_mono_s": "0.500000",
        "t_wall_iso": "",
        "status": "ok",
        "face_id": "1",
        "x": "-3.2",
        "y": "20.0",
        "w": "60.0",
        "h": "70.5",
        "detection_score": "0.9124",
        "p_angry": "0.10000",
        "p_disgust": "0.00000",
        "p_fear": "0.00000",
        "p_happy": "0.60000",
        "p_sad": "0.10000",
        "p_surprise": "0.10000",
        "p_neutral": "0.10000",
        "label": "happy",
        "confidence": "0.60000",
        "label_smoothed": "neutral",
        "confidence_smoothed": "0.40000",
        "infer_ms": "",
        "age_ms": "",
        "dropped_before": "",
        "valence": "",
        "arousal": "",
        "reason": "",
        "source_file": "",
    }


def test_one_row_a_face() -> None:
    lines = _formatter().result(_result(_track(1), _track(2)), 0.0).splitlines(keepends=True)
    assert [_fields(line)["face_id"] for line in lines] == ["1", "2"]


def test_uncertain_is_only_ever_smoothed() -> None:
    row = _fields(_formatter().result(_result(_track(label_index=None)), 0.0))
    assert row["label"] == "happy"
    assert row["label_smoothed"] == "uncertain"
    assert row["confidence_smoothed"] == "0.40000"


@pytest.mark.parametrize("status", ["no_face", "dropped"])
def test_rows_without_a_face_have_empty_face_fields(status: str) -> None:
    line = _formatter().result(_result(), 0.5) if status == "no_face" else _formatter().gap(7, 0.5, 3, GapReason.SLOW)
    row = _fields(line)
    filled = {name: value for name, value in row.items() if value}
    expected = {"session_id": "abc", "frame_index": "7", "t_mono_s": "0.500000", "status": status}
    assert filled == expected | ({"dropped_before": "3", "reason": "slow"} if status == "dropped" else {})


def test_a_face_of_low_quality_says_so_and_keeps_its_values() -> None:
    tracks = _track(1), replace(_track(2), reason="blurred")
    good, low = (_fields(line) for line in _formatter().result(_result(*tracks), 0.5).splitlines(keepends=True))
    assert (good["status"], good["reason"]) == ("ok", "")
    assert (low["status"], low["reason"]) == ("low_quality", "blurred")
    assert low["label"] == good["label"]


def test_affect_is_written_where_it_is_known() -> None:
    row = _fields(_formatter().result(_result(replace(_track(), affect=Affect(0.81, -0.27))), 0.5))
    assert (row["valence"], row["arousal"]) == ("0.8100", "-0.2700")


def test_rows_of_pictures_end_with_their_file() -> None:
    formatter = RowFormatter("abc", FER2013_LABELS, None, False, ("a, b.jpg", "two  spaces.jpg", "line\nend.jpg"))
    lines = [
        formatter.header(),
        formatter.result(_result(_track(1), _track(2), index=0), 0.0),
        formatter.result(_result(index=1), 0.0),
        formatter.gap(2, 0.0, 1, GapReason.UNREADABLE),
    ]
    rows = pd.read_csv(io.StringIO("".join(lines)))
    assert ",".join(rows.columns) + "\n" == HEADER
    assert rows.source_file.tolist() == ["a, b.jpg", "a, b.jpg", "two  spaces.jpg", "line\ufffdend.jpg"]
    assert rows.reason.dropna().tolist() == ["unreadable"]


@pytest.mark.parametrize("reason", list(GapReason))
def test_a_gap_says_why(reason: GapReason) -> None:
    assert _fields(_formatter().gap(7, 0.5, 0, reason))["reason"] == reason.value


def test_stills_have_no_time() -> None:
    assert _fields(_formatter(timed=False).result(_result(_track()), 3.0))["t_mono_s"] == ""


def test_live_rows_have_wall_clock_and_latency() -> None:
    row = _fields(_formatter(_START).result(_result(_track()), 0.75))
    assert row["t_wall_iso"] == "2026-03-29T01:00:00.250+00:00"
    assert row["infer_ms"] == "1.235"
    assert row["age_ms"] == "42.1"


def test_live_rows_without_a_face_have_no_network_time() -> None:
    row = _fields(_formatter(_START).result(_result(), 0.75))
    assert (row["infer_ms"], row["age_ms"]) == ("", "42.1")


def test_wall_clock_keeps_the_offset_of_the_start() -> None:
    start = _START.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert _fields(_formatter(start).result(_result(), 0.5))["t_wall_iso"] == "2026-03-29T06:30:00.000+05:30"
