from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_live import files
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.errors import RecordError
from fer_live.record.columns import count
from fer_live.record.recovery import is_being_written, read_facts, recover, whole_lines
from fer_live.record.session import FRAMES_CSV, SESSION_JSON, SessionWriter, State

_FRAMES = 5


def _result(index: int) -> Result:
    probabilities = np.full(7, 1 / 7, np.float32)
    box = np.array([0, 0, 50, 60], np.float32)
    tracks = tuple(Track(face_id, box, 0.9, probabilities, probabilities, 0, 1, 0.0) for face_id in (1, 2))
    return Result(index, index / 30, index / 30, tracks[: index % 3])


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A session of five frames, number 1 of them dropped, and with two faces in the last, whose writer is gone."""
    folder = tmp_path / "session"
    folder.mkdir()
    writer = SessionWriter(folder, "abc", FER2013_LABELS, {"kind": "record"})
    for index in (0, 2, 3, 4, 5):
        writer.write(_result(index))
    facts = (folder / SESSION_JSON).read_text()
    writer.close()
    (folder / SESSION_JSON).write_text(facts)
    return folder


def _facts(folder: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / SESSION_JSON).read_text())
    return facts


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", b""),
        (b"torn", b""),
        (b"a\n", b"a\n"),
        (b"a\nb", b"a\n"),
        (b"a\nb\n\0\0\0", b"a\nb\n"),
        (b"a\nb\0\0\n", b"a\n"),
    ],
)
def test_torn_ends_are_no_lines(tmp_path: Path, content: bytes, whole: bytes) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    assert whole_lines(path) == whole


def test_a_session_is_being_written_until_its_writer_closes(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path, "abc", FER2013_LABELS, {})
    assert is_being_written(tmp_path)
    assert not recover(tmp_path)
    assert _facts(tmp_path)["state"] == "recording"
    writer.close()
    assert not is_being_written(tmp_path)
    assert not recover(tmp_path)
    assert _facts(tmp_path)["state"] == "closed"


def _write_new(path: Path, content: bytes) -> None:
    """Some file systems sync a file that is emptied and written again."""
    path.unlink()
    path.write_bytes(content)


def test_frames_file_cut_at_every_byte_of_its_last_rows(cut_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "replace_file", _write_new)  # hundreds of real ones would take long
    frames, session = cut_off / FRAMES_CSV, cut_off / SESSION_JSON
    content, facts = frames.read_bytes(), session.read_bytes()
    lines = content.splitlines(keepends=True)
    for length in range(len(b"".join(lines[:-3])), len(content) + 1):
        _write_new(frames, content[:length])
        _write_new(session, facts)
        assert recover(cut_off)
        left = frames.read_bytes()
        assert content.startswith(left)
        assert left.count(b"\n") == content[:length].count(b"\n")
        assert left.endswith(b"\n")
    rows = pd.read_csv(frames)
    assert rows.frame_index.tolist() == [0, 1, 2, 2, 3, 4, 5, 5]


def test_recovered_session_says_so_and_counts_what_it_has(cut_off: Path) -> None:
    with (cut_off / FRAMES_CSV).open("ab") as file:
        file.write(b"abc,6,0.2")
    assert recover(cut_off)
    facts = _facts(cut_off)
    assert facts["state"] == "recovered"
    assert facts["kind"] == "record"
    assert facts["counts"] == {
        "frames_captured": 6,
        "frames_analysed": 5,
        "frames_dropped": 1,
        "rows": 8,
        "faces": 2,
    }
    assert not recover(cut_off)


@pytest.mark.parametrize("state", [State.CLOSED, State.FAILED, State.INTERRUPTED, State.RECOVERED])
def test_a_session_that_ended_is_left_alone(cut_off: Path, state: State) -> None:
    (cut_off / SESSION_JSON).write_text(json.dumps({"state": state}))
    assert not recover(cut_off)
    assert _facts(cut_off) == {"state": state}


def test_where_it_cannot_be_written_it_stays_as_it_is(cut_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (cut_off / FRAMES_CSV).open("ab") as file:
        file.write(b"torn")
    before = (cut_off / FRAMES_CSV).read_bytes()

    def refuse(*_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(os, "truncate", refuse)
    assert recover(cut_off)
    assert (cut_off / FRAMES_CSV).read_bytes() == before
    assert _facts(cut_off)["state"] == "recording"


def test_without_locks_a_session_is_left_alone(cut_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> bool:
        raise OSError(37, os.strerror(37))

    monkeypatch.setattr(files, "lock", refuse)
    assert not recover(cut_off)
    assert _facts(cut_off)["state"] == "recording"


@pytest.mark.parametrize("rows", [b"status\nok\n", b"a,b\n1,2\n", b"\xff\xfe\n1\n"])
def test_what_is_no_table_of_ours_is_named_and_left_alone(cut_off: Path, rows: bytes) -> None:
    (cut_off / FRAMES_CSV).write_bytes(rows + b"torn")
    with pytest.raises(RecordError, match=r"frames\.csv' is not a table of FER Live"):
        recover(cut_off)
    assert (cut_off / FRAMES_CSV).read_bytes() == rows + b"torn"


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_table_that_cannot_be_opened_may_be_somebodys(cut_off: Path) -> None:
    (cut_off / FRAMES_CSV).unlink()
    (cut_off / FRAMES_CSV).symlink_to(FRAMES_CSV)
    assert is_being_written(cut_off)
    assert not recover(cut_off)


def test_session_without_rows_is_recovered_too(cut_off: Path) -> None:
    (cut_off / FRAMES_CSV).unlink()
    assert recover(cut_off)
    assert _facts(cut_off)["counts"] == {}


def test_nothing_counts_in_an_empty_file() -> None:
    assert set(count(b"").values()) == {0}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), ("{", "is not valid JSON"), ("[]", "has no 'state'"), ("{}", "has no 'state'")],
)
def test_what_is_no_session_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / SESSION_JSON).write_text(content)
    with pytest.raises(RecordError, match=rf"session\.json' {message}"):
        read_facts(tmp_path)
