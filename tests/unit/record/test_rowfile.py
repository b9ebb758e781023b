from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_live import files
from fer_live.errors import RecordError
from fer_live.record.recovery import whole_lines
from fer_live.record.rowfile import FLUSH_S, SYNC_S, RowFile
from tests.fakes import ManualClock
from tests.waiting import wait_until


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


def _let_sync_end() -> None:
    for thread in threading.enumerate():
        if thread.name == "sync":
            thread.join()


def test_it_is_locked_although_somebody_looks_whether_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, onlookers = files.lock, iter([False] * 5)
    with monkeypatch.context() as patch:
        patch.setattr(files, "lock", lambda file: next(onlookers, True) and lock(file))
        file = RowFile(path)
    other = os.open(path, os.O_RDONLY)
    assert not files.lock(other)
    os.close(other)
    file.close()


def test_lock_that_nobody_gives_is_soon_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    monkeypatch.setattr(files, "lock", lambda file: bool(tries.append(file)))
    monkeypatch.setattr("fer_live.record.rowfile._LOCK_PAUSE_S", 0.0)
    file = RowFile(path)
    file.append("a\n")
    file.close()
    assert path.read_text() == "a\n"
    assert len(tries) < 100


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
    wait_until(lambda: len(synced) == 1)
    for _ in range(100):
        clock.advance(SYNC_S)
        file.keep_up()
    assert len(synced) == 1, "nothing new was there to sync"
    file.close()
    assert len(synced) == 2


def test_rows_of_any_moment_are_with_the_system_in_1_s_and_on_the_disk_in_5_s(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk = [0]
    monkeypatch.setattr(os, "fsync", lambda file: on_disk.append(os.fstat(file).st_size))
    rng = np.random.default_rng(7)
    file, written = RowFile(path, clock), [(clock.now, 0)]
    for number in range(400):
        # As a live recording does it: rows come at any time, and while none come, somebody looks after the file.
        clock.advance(rng.uniform(0, 0.1))
        if rng.random() < 0.3:
            row = f"row {number}\n"
            written.append((clock.now, written[-1][1] + len(row)))
            file.append(row)
        else:
            file.keep_up()
        _let_sync_end()
        assert path.stat().st_size >= max(size for at, size in written if at <= clock.now - 1.0 + 1e-9 or size == 0)
        assert max(on_disk) >= max(size for at, size in written if at <= clock.now - 5.0 + 1e-9 or size == 0)
    assert len(on_disk) > 3
    file.close()


def test_a_disk_that_syncs_slowly_holds_no_row_back(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, asked = threading.Event(), threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: (asked.set(), answer.wait(20)))
    file = RowFile(path, clock)
    clock.advance(SYNC_S)
    file.append("one\n")
    assert asked.wait(20)
    for _ in range(10):
        clock.advance(SYNC_S)
        file.append("two\n")
    assert path.read_text() == "one\n" + 10 * "two\n"
    answer.set()
    file.close()


def test_a_sync_that_fails_is_told_at_the_next_row(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = RowFile(path, clock)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        clock.advance(SYNC_S)
        file.append("one\n")
        _let_sync_end()
    with pytest.raises(RecordError, match=r"cannot be written \(Input/output error\)"):
        file.append("two\n")
    with pytest.raises(RecordError, match=r"cannot be written \(Input/output error\)"):
        file.close()
    assert path.read_text() == "one\ntwo\n"


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


def test_of_a_torn_write_the_frames_that_fit_are_kept(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = RowFile(path, clock)
    monkeypatch.setattr(os, "write", _failing_write(failures=1))
    file.append("a first frame\nof two faces\n")
    file.append("a second one\nof two faces, of which\nthere are three\n")
    with pytest.raises(RecordError, match="No space left"):
        file.flush()
    assert path.read_text() == "a first frame\nof two faces\n"
    file.append("a third\n")
    file.close()
    frames = ["a first frame\nof two faces\n", "a second one\nof two faces, of which\nthere are three\n", "a third\n"]
    assert path.read_text() == "".join(frames)


def test_a_torn_line_that_cannot_be_undone_is_the_last(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int, __: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = RowFile(path, clock)
    monkeypatch.setattr(os, "ftruncate", fail)
    monkeypatch.setattr(os, "write", _failing_write(failures=1))
    file.append("a row for which there is no space\n")
    with pytest.raises(RecordError, match="No space left"):
        file.flush()
    file.close()
    assert whole_lines(path) == b""
    assert path.read_text() in "a row for which there is no space"


def test_what_a_full_disk_holds_is_synced(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    file = RowFile(path, clock)
    file.append("a first row that is whole\n")
    file.flush()
    monkeypatch.setattr(os, "write", _failing_write(failures=1))
    file.append("a second row for which there is no space\n")
    with pytest.raises(RecordError, match="No space left"):
        file.close()
    assert synced == [len("a first row that is whole\n")]


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
