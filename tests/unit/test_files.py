from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from fer_live.files import lock, replace_file


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced there")
def test_content_is_on_disk_before_its_name_and_its_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def note_sync(file: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(file).st_mode) else f"file of {os.fstat(file).st_size} bytes")
        sync(file)

    def note_replace(self: Path, target: Path) -> Path:
        steps.append(f"{self.name} -> {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    replace_file(tmp_path / "session.json", b"{}\n")
    assert steps == ["file of 3 bytes", "session.json.partial -> session.json", "folder"]
    assert (tmp_path / "session.json").read_bytes() == b"{}\n"


def test_a_disk_that_syncs_no_folders_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = os.fsync

    def refuse_folders(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        sync(file)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    replace_file(tmp_path / "session.json", b"{}\n")
    assert (tmp_path / "session.json").read_bytes() == b"{}\n"


@pytest.mark.parametrize(("looks", "content"), [(2, b"new"), (3, b"old")])
def test_a_file_that_somebody_has_open_for_a_moment(
    looks: int, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, where such a file cannot be replaced."""
    path, replace, left = tmp_path / "session.json", Path.replace, [looks]
    path.write_bytes(b"old")

    def replace_if_closed(self: Path, target: Path) -> Path:
        left[0] -= 1
        if left[0] >= 0:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_if_closed)
    monkeypatch.setattr("fer_live.files._REPLACE_TRIES", 3)
    monkeypatch.setattr("fer_live.files._REPLACE_PAUSE_S", 0.0)
    with nullcontext() if content == b"new" else pytest.raises(PermissionError):
        replace_file(path, b"new")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_holds_until_its_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a\n")
    first, second = os.open(path, os.O_RDWR), os.open(path, os.O_RDONLY)
    assert lock(first)
    assert not lock(second)
    assert path.read_bytes() == b"a\n"
    os.close(first)
    assert lock(second)
    os.close(second)
