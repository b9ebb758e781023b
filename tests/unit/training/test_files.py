from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fer_live.errors import TrainingError
from training.files import replace_file, require_writable


def test_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_bytes(b"old")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["weights.json"]


def test_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights.json"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"weights\.json.*No space left.*Make room"):
        replace_file(path, b"new", "Make room.")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights.json"]


@pytest.mark.parametrize("name", [".", "pictures"])
def test_a_folder_in_the_place_of_a_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    with pytest.raises(TrainingError, match=rf"'{name}' is a folder. Choose another --plot"):
        replace_file(Path(name), b"new", "Choose another --plot.")
    assert os.listdir(tmp_path) == ["pictures"]


def test_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b", "--out")
    assert os.listdir(tmp_path / "a" / "b") == []


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"'.*file.folder' cannot be written .* another --out"):
        require_writable(tmp_path / "file" / "folder", "--out")
