from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import RecordError
from fer_live.review.reading import MARKER_TYPES, open_session
from tests.unit.review.conftest import WriteSession, face, mark, result


def test_session_comes_back_with_its_types(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face(1), face(2, "sad")), result(1, 0.04), result(4, 0.16, face(1)))
    session = open_session(folder)
    assert session.folder == folder
    assert session.labels == FER2013_LABELS
    assert session.is_timed
    assert session.facts["state"] == "closed"
    assert session.frames["status"].to_list() == ["ok", "ok", "no_face", "dropped", "ok"]
    assert session.frames["face_id"].to_list() == [1, 2, None, None, 1]
    assert session.frames["dropped_before"].to_list() == [None, None, None, 2, None]
    assert session.frames["p_sad"][1] == pytest.approx(0.7)
    types = session.frames.schema
    assert types["frame_index"] == types["face_id"] == pl.Int64
    assert types["t_mono_s"] == types["age_ms"] == types["p_angry"] == pl.Float64
    assert types["status"] == types["label_smoothed"] == types["t_wall_iso"] == pl.String
    assert session.markers.schema == pl.Schema(MARKER_TYPES)
    assert session.markers.is_empty()


def test_stills_have_no_time(write_session: WriteSession) -> None:
    files = ("1.png", "2.png")
    session = open_session(write_session(result(1, 1.0, face()), is_live=False, timed=False, files=files))
    assert not session.is_timed
    assert session.frames["status"].to_list() == ["dropped", "ok"]
    assert session.frames["source_file"].to_list() == list(files)
    assert session.frames["t_mono_s"].dtype == pl.Float64
    assert session.frames["age_ms"].is_null().all()


@pytest.mark.parametrize("kept", [0, 1, 30])
def test_frames_without_a_whole_line_are_no_rows(write_session: WriteSession, kept: int) -> None:
    folder = write_session(result(0, 0.0, face()))
    content = (folder / "frames.csv").read_bytes()
    (folder / "frames.csv").write_bytes(content[:kept])
    session = open_session(folder)
    assert session.frames.is_empty()
    assert session.frames.schema["t_mono_s"] == pl.Float64
    (folder / "frames.csv").unlink()
    assert open_session(folder).frames.schema == session.frames.schema


def test_torn_last_line_is_left_out(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()), result(1, 0.1, face()), result(2, 0.2, face()))
    path = folder / "frames.csv"
    content = path.read_bytes()
    last = content.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last, len(content)):
        path.write_bytes(content[:end])
        assert open_session(folder).frames["frame_index"].to_list() == [0, 1]
    path.write_bytes(content)
    assert open_session(folder).frames["frame_index"].to_list() == [0, 1, 2]


def test_older_session_gets_the_columns_it_lacks_and_a_newer_one_keeps_its_own(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()))
    session = open_session(folder)
    path = folder / "frames.csv"
    lines = path.read_text().splitlines()
    names = lines[0].split(",")
    older = names.index("dropped_before")
    path.write_text("".join(",".join(line.split(",")[:older]) + ",more\n" for line in lines))
    changed = open_session(folder).frames
    assert changed.columns == [*names, "more"]
    assert changed["dropped_before"].to_list() == [None]
    assert changed.drop("more").schema == session.frames.schema


def test_markers_are_read(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()))
    (folder / "markers.csv").write_text(
        "marker_id,t_mono_s,t_wall_iso,frame_index,name,origin\n1,0.25,,7,\"start, now\",key\n2,0.5,,12,torn"
    )
    assert open_session(folder).markers.rows() == [(1, 0.25, None, 7, "start, now", "key")]


def test_session_that_was_cut_off_is_recovered(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()))
    path = folder / "session.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"state": "recording", "counts": {}}))
    session = open_session(folder)
    assert session.facts["state"] == "recovered"
    assert session.facts["counts"] == facts["counts"]


def test_folder_without_session_json_is_no_session(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"session\.json' cannot be read"):
        open_session(tmp_path)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"state": "closed"}', '{"state": "closed", "model_card": {"labels": "happy"}}']
)
def test_damaged_session_json_is_named(write_session: WriteSession, text: str) -> None:
    folder = write_session(result(0, 0.0, face()))
    (folder / "session.json").write_text(text)
    with pytest.raises(RecordError, match=r"session\.json"):
        open_session(folder)


def test_damaged_table_is_named(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()), result(1, 0.1, face()))
    path = folder / "frames.csv"
    path.write_text(path.read_text().replace("0.100000", "soon"))
    with pytest.raises(RecordError, match=r"frames\.csv' is not a table"):
        open_session(folder)


def test_marker_may_lack_a_name_but_no_time(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()), result(1, 0.1, face()))
    mark(folder, (0.05, ""))
    assert open_session(folder).markers["name"].to_list() == [""]
    path = folder / "markers.csv"
    path.write_text(path.read_text().replace("0.05", ""))
    with pytest.raises(RecordError, match=r"markers\.csv' has a marker without a number or a time"):
        open_session(folder)
