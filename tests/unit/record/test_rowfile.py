from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fer_live.errors import RecordError
from fer_live.record.rowfile import FLUSH_S, SYNC_S, RowFile
from tests.fakes import ManualClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


def _failing_write(failures: int, part: float = 0.5) -> Callable[[int, bytes], int]:
    """os.write on a disk that gets full in the middle of a write, so many times."""
    write, left = os.write, [failures]

    def half(file: int, content: bytes) -> int:
        if left[0] == 0:
            return write(file, content)
        if len(content) > 20:
            return write(file, content[: int(len(content) * part)])
        left[0] -= 1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return half


def test_lines_reach_the_file_in_time(path: Path, clock: ManualClock) -> None:
    file = RowFile(path, clock)
    file.append("one\n")
    assert path.read_text() == ""
    clock.advance(FLUSH_S)
    file.append("two\n")
    assert path.read_text() == "one\ntwo\n"
    file.append("three\n")
    clock.advance(FLUSH_S)
    file.keep_up()
    assert path.read_text() == "one\ntwo\nthree\n"
    file.close()


def test_lines_reach_the_disk_in_time(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    file = RowFile(path, clock)
    for _ in range(int(SYNC_S / FLUSH_S) - 1):
        clock.advance(FLUSH_S)
        file.append("row\n")
    assert not synced
    clock.advance(FLUSH_S)
    file.keep_up()
    assert len(synced) == 1
    file.close()
    assert len(synced) == 2


def test_text_is_utf8_with_unix_line_ends(path: Path, clock: ManualClock) -> None:
    file = RowFile(path, clock)
    file.append("ö,😀\n")
    file.close()
    assert path.read_bytes() == "ö,😀\n".encode()


def test_closing_writes_what_is_pending_and_twice_does_nothing(path: Path) -> None:
    file = RowFile(path)
    file.append("one\n")
    file.close()
    file.close()
    assert path.read_text() == "one\n"


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(RecordError, match=r"rows\.csv' cannot be written \(File exists\)"):
        RowFile(path)
    assert path.read_text() == "precious"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"absent/rows\.csv' cannot be written"):
        RowFile(tmp_path / "absent" / "rows.csv")


def test_short_writes_are_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[:3]))
    file = RowFile(path)
    file.append("a line that is longer than three bytes\n")
    file.close()
    assert path.read_text() == "a line that is longer than three bytes\n"


def test_a_torn_write_is_undone(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RowFile(path, clock)
    file.append("a first row that is whole\n")
    file.flush()
    monkeypatch.setattr(os, "write", _failing_write(failures=2))
    file.append("a second row for which there is no space\n")
    with pytest.raises(RecordError, match=r"cannot be written \(No space left on device\)"):
        file.flush()
    assert path.read_text() == "a first row that is whole\n"
    with pytest.raises(RecordError, match="No space left"):
        file.close()
    assert path.read_text() == "a first row that is whole\n"


def test_after_a_torn_write_the_next_one_leaves_no_hole(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = RowFile(path, clock)
    monkeypatch.setattr(os, "write", _failing_write(failures=1))
    file.append("a row for which there is space a second later\n")
    with pytest.raises(RecordError):
        file.flush()
    file.close()
    assert path.read_bytes() == b"a row for which there is space a second later\n"


def test_closing_after_a_failure_frees_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    close = os.close
    file = RowFile(path)
    file.append("a row for which there is no space at all\n")
    monkeypatch.setattr(os, "write", _failing_write(failures=9))
    monkeypatch.setattr(os, "close", lambda number: (closed.append(number), close(number)))
    with pytest.raises(RecordError):
        file.close()
    assert len(closed) == 1


def test_a_disk_that_does_not_sync_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = RowFile(path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RecordError, match=r"cannot be written \(Input/output error\)"):
        file.close()
