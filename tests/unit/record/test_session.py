from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.errors import RecordError
from fer_live.record.columns import GapReason
from fer_live.record.session import (
    FRAMES_CSV,
    SESSION_JSON,
    Origin,
    SessionWriter,
    State,
    make_session_folder,
    replace_file,
    versions,
)


def _result(index: int, *face_ids: int) -> Result:
    probabilities = np.full(7, 1 / 7, np.float32)
    box = np.array([0, 0, 50, 60], np.float32)
    tracks = tuple(Track(face_id, box, 0.9, probabilities, probabilities, 0, 1, 0.0) for face_id in face_ids)
    return Result(index, index / 30, index / 30, tracks, {"infer": 4.0})


def _writer(folder: Path, start_wall: datetime | None = None) -> SessionWriter:
    facts = {"kind": "analyze", "source": {"name": "ö"}}
    return SessionWriter(folder, "abc", FER2013_LABELS, facts, start_wall)


def _facts(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / SESSION_JSON).read_text(encoding="utf-8"))
    return facts


def _rows(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / FRAMES_CSV)


def _captured(rows: pd.DataFrame) -> int:
    """The frames captured, by the rule of docs/csv.md."""
    analysed = rows.loc[rows.status != "dropped", "frame_index"].nunique()
    return int(analysed + rows.loc[rows.status == "dropped", "dropped_before"].sum())


def test_session_says_what_it_is_from_the_start(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    facts = _facts(tmp_path)
    assert facts["state"] == "recording"
    assert facts["schema_version"] == 3
    assert facts["session_id"] == "abc"
    assert facts["source"] == {"name": "ö"}
    assert facts["versions"] == versions()
    assert set(facts["counts"].values()) == {0}
    writer.close()


@pytest.mark.parametrize("state", [State.CLOSED, State.INTERRUPTED, State.FAILED])
def test_session_ends_in_the_state_it_is_given(tmp_path: Path, state: State) -> None:
    _writer(tmp_path).close(state)
    assert _facts(tmp_path)["state"] == state.value
    assert list(_rows(tmp_path)) == (tmp_path / FRAMES_CSV).read_text().strip().split(",")


def test_counts_and_rows_agree(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    for result in (_result(0, 1, 2), _result(1), _result(2, 2, 3)):
        writer.write(result)
    writer.close()
    rows = _rows(tmp_path)
    assert rows.frame_index.tolist() == [0, 0, 1, 2, 2]
    assert rows.status.tolist() == ["ok", "ok", "no_face", "ok", "ok"]
    assert _facts(tmp_path)["counts"] == {
        "frames_captured": 3,
        "frames_analysed": 3,
        "frames_dropped": 0,
        "rows": 5,
        "faces": 3,
    }


@pytest.mark.parametrize(("start_wall", "reason"), [(datetime.now(UTC), "slow"), (None, "unreadable")])
def test_gaps_account_for_every_captured_frame(start_wall: datetime | None, reason: str, tmp_path: Path) -> None:
    writer = _writer(tmp_path, start_wall)
    for index in (2, 3, 7, 8):
        writer.write(_result(index, 1))
    writer.close(frames_captured=12)
    rows = _rows(tmp_path)
    gaps = rows[rows.status == "dropped"]
    assert gaps.frame_index.tolist() == [0, 4, 9]
    assert gaps.dropped_before.tolist() == [2, 3, 3]
    assert gaps.reason.tolist() == [reason] * 3
    assert rows.loc[rows.status != "dropped", "dropped_before"].isna().all()
    assert rows.t_mono_s.is_monotonic_increasing
    assert _captured(rows) == 12
    counts = _facts(tmp_path)["counts"]
    assert (counts["frames_captured"], counts["frames_analysed"], counts["frames_dropped"]) == (12, 4, 8)
    assert counts["rows"] == len(rows)


def test_session_of_which_nothing_was_analysed(tmp_path: Path) -> None:
    _writer(tmp_path).close(frames_captured=5)
    assert _captured(_rows(tmp_path)) == 5


def test_session_may_start_in_the_middle_of_a_capture(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path, "abc", FER2013_LABELS, {}, origin=Origin(30, 1.0))
    for index in (29, 30, 32):
        writer.write(_result(index, 1))
    writer.close(frames_captured=33)
    rows = _rows(tmp_path)
    assert rows.frame_index.tolist() == [0, 1, 2]
    assert rows.status.tolist() == ["ok", "dropped", "ok"]
    assert rows.t_mono_s.tolist() == pytest.approx([0, 0, 2 / 30], abs=1e-6)
    assert _captured(rows) == 3


def test_lost_camera_is_a_gap_without_frames(tmp_path: Path) -> None:
    """Frames from before it may come after it, since they were in analysis; the last loss may have no end."""
    writer = _writer(tmp_path)
    writer.write(_result(0, 1))
    writer.write_gap(since=_result(1, 1).captured_at)
    writer.write(_result(1, 1))
    writer.write_gap(since=_result(2, 1).captured_at, reason=GapReason.SCREEN_LOCKED)
    writer.write(_result(2, 1))
    writer.keep_up()
    writer.close()
    rows = _rows(tmp_path)
    assert rows.reason.fillna("").tolist() == ["", "", "camera_lost", "", "screen_locked"]
    assert rows.frame_index.tolist() == [0, 1, 2, 2, 3]
    assert rows.t_mono_s.tolist() == pytest.approx([0, 1 / 30, 1 / 30, 2 / 30, 2 / 30], abs=1e-6)
    assert rows.dropped_before.dropna().tolist() == [0, 0]
    assert _captured(rows) == 3


def test_pandas_reads_types_without_options(tmp_path: Path) -> None:
    writer = _writer(tmp_path)
    writer.write(_result(0, 1))
    writer.write(_result(1, 1))
    writer.close()
    rows = _rows(tmp_path)
    assert rows.frame_index.dtype == np.int64
    assert rows.p_happy.dtype == np.float64
    assert rows.t_mono_s.tolist() == pytest.approx([0, 1 / 30], abs=1e-6)
    assert rows.face_id.tolist() == [1, 1]


def test_rows_are_there_while_the_session_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 0.0)
    writer = _writer(tmp_path)
    writer.write(_result(0, 1))
    assert len(_rows(tmp_path)) == 1
    writer.close()


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        folder = make_session_folder(tmp_path, name)
        writer = _writer(folder)
        writer.write(_result(0, 1))
        writer.close()
        contents.append([(folder / file).read_bytes() for file in (FRAMES_CSV, SESSION_JSON)])
    assert contents[0] == contents[1]


def test_taken_names_get_a_number(tmp_path: Path) -> None:
    names = [make_session_folder(tmp_path / "new", "clip").name for _ in range(3)]
    assert names == ["clip", "clip-2", "clip-3"]


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match=r"file/clip' cannot be made \(Not a directory\)"):
        make_session_folder(tmp_path / "file", "clip")


def test_link_to_a_disk_that_is_not_there_is_an_error_and_no_loop(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    with pytest.raises(RecordError, match=r"link/x' cannot be made \(File exists\)"):
        make_session_folder(tmp_path / "link", "x")


def test_name_that_is_too_long_is_an_error_and_no_loop(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be made"):
        make_session_folder(tmp_path, "x" * 300)


def test_replacing_a_file_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "session.json"
    replace_file(path, "old\n")

    def fail(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch, pytest.raises(RecordError, match="No space left"):
        patch.setattr(os, "fsync", fail)
        replace_file(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]
    replace_file(path, "new\n")
    assert path.read_text() == "new\n"


def test_full_disk_leaves_whole_rows(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 0.0)
    folder = make_session_folder(small_disk, "clip")
    writer = _writer(folder)
    written = 0
    with pytest.raises(RecordError, match=r"frames\.csv' cannot be written \(No space left on device\)"):
        while written < 10_000:
            writer.write(_result(written, 1))
            written += 1
    with pytest.raises(RecordError):
        writer.close(State.FAILED)
    rows = _rows(folder)
    assert 100 < len(rows) <= written
    assert rows.frame_index.tolist() == list(range(len(rows)))
    assert rows.dropped_before.isna().all()
    assert (folder / FRAMES_CSV).read_bytes().endswith(b"\n")
    assert _facts(folder)["session_id"] == "abc"


def test_a_session_that_failed_counts_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def fill_up(file: int, content: bytes) -> int:
        if b",ok," not in content:
            return write(file, content)
        if os.fstat(file).st_size > 3000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, content[:3100])

    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 3600.0)
    writer = _writer(tmp_path)
    for index in range(100):
        writer.write(_result(index, 1))
    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(RecordError, match="No space left"):
        writer.close()
    facts, rows = _facts(tmp_path), _rows(tmp_path)
    assert 10 < len(rows) < 50
    assert (facts["state"], facts["counts"]) == ("failed", writer.counts)
    assert facts["counts"]["rows"] == facts["counts"]["frames_captured"] == len(rows)


@pytest.mark.parametrize(("name", "folder"), [("", "session"), ("clip .", "clip"), ("..", "session"), (".a b", ".a b")])
def test_folder_that_any_system_can_make(tmp_path: Path, name: str, folder: str) -> None:
    assert make_session_folder(tmp_path / "new", name) == tmp_path / "new" / folder
