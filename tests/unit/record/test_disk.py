from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from fer_live.config import RecordingConfig
from fer_live.record.disk import LOOK_S, DiskWatch
from tests.fakes import ManualClock


class _Disk:
    """A disk whose free space a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free_mb = 5000.0
        self.looks = 0
        monkeypatch.setattr(shutil, "disk_usage", self._usage)

    def _usage(self, _: Path) -> shutil._ntuple_diskusage:
        self.looks += 1
        return shutil._ntuple_diskusage(10**12, 0, int(self.free_mb * 1e6))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> _Disk:
    return _Disk(monkeypatch)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_warns_while_there_is_little_and_ends_when_there_is_hardly_any(
    disk: _Disk, clock: ManualClock, tmp_path: Path
) -> None:
    watch = DiskWatch(RecordingConfig(), clock)
    seen = []
    for free_mb in (5000, 2000, 1999, 2001, 200, 199):
        disk.free_mb = free_mb
        end = watch.look(tmp_path)
        seen.append((watch.warning is not None, end is not None))
        clock.advance(LOOK_S)
    assert seen == [(False, False)] * 2 + [(True, False), (False, False), (True, False), (True, True)]


def test_messages_name_folder_and_space(disk: _Disk, clock: ManualClock, tmp_path: Path) -> None:
    watch = DiskWatch(RecordingConfig(warn_below_mb=3000, stop_below_mb=100), clock)
    disk.free_mb = 2500
    assert watch.look(tmp_path) is None
    assert str(watch.warning).startswith(f"The disk of '{tmp_path}' has only 2500 MB left. Free some space")
    clock.advance(LOOK_S)
    disk.free_mb = 99
    assert str(watch.look(tmp_path)).startswith(f"The disk of '{tmp_path}' has only 99 MB left, so nothing more")


def test_looks_are_seconds_apart(disk: _Disk, clock: ManualClock, tmp_path: Path) -> None:
    watch = DiskWatch(RecordingConfig(), clock)
    for _ in range(100):
        watch.look(tmp_path)
        clock.advance(LOOK_S / 10)
    assert disk.looks == 10


def test_a_folder_that_is_gone_ends_it(tmp_path: Path, clock: ManualClock) -> None:
    end = DiskWatch(RecordingConfig(), clock).look(tmp_path / "gone")
    assert str(end).startswith(f"Folder '{tmp_path / 'gone'}' cannot be reached any more ({os.strerror(2)}).")
