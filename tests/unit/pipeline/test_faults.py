"""What goes wrong on the disk while recording: the user is told, rows are kept, the picture goes on."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from fer_live.capture.opening import LiveSource
from fer_live.config import Config, RecordingConfig
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.status import LiveState
from fer_live.record.recorder import Recorder
from fer_live.review.reading import open_session
from tests.fakes import CodeFinder, FakeDevice, TableBackend
from tests.waiting import wait_until

_NOBODY = 65534


@pytest.fixture
def session() -> Iterator[LiveSession]:
    """A running session on a camera of a hundred frames a second."""
    config = Config(recording=RecordingConfig(warn_below_mb=0, stop_below_mb=0))
    session = LiveSession(config, LiveSource("fake", FakeDevice().open, True), CodeFinder, TableBackend)
    session.start()
    wait_until(lambda: session.status().state is LiveState.RUNNING)
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.disk.LOOK_S", 0.05)
    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 0.0)


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder that the user can be kept out of; root is nobody meanwhile."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    folder.chmod(0o777)
    if is_root:
        os.seteuid(_NOBODY)
    yield folder
    if is_root:
        os.seteuid(0)
    for path in folder.iterdir():
        path.chmod(0o777)
    shutil.rmtree(folder)


def _begin(session: LiveSession, parent: Path) -> tuple[Recorder, Path]:
    session.start_recording(parent)
    recorder = session.recorder
    assert recorder is not None
    wait_until(lambda: recorder.folder is not None and (recorder.folder / "session.json").exists())
    assert recorder.folder is not None
    frames = recorder.folder / "frames.csv"
    wait_until(lambda: frames.read_text().count(",ok,") > 10)
    return recorder, recorder.folder


def _has_a_picture(session: LiveSession) -> bool:
    """Waits for ten more frames with their results."""
    for _ in range(10):
        if session.results.take(20) is None:
            return False
    return session.status().state is LiveState.RUNNING


def _end(session: LiveSession, recorder: Recorder) -> str:
    """Lets the recording end, and says what the user is told."""
    if session.recorder is not None:
        session.end_recording()
    wait_until(recorder.is_over.is_set)
    return "" if recorder.error is None else str(recorder.error)


def _kept(folder: Path) -> pd.DataFrame:
    """The rows that were kept, all of them whole."""
    rows = pd.read_csv(folder / "frames.csv")
    analysed = rows[rows.status == "ok"]
    assert analysed.p_neutral.notna().all()
    assert analysed.frame_index.is_unique
    assert (folder / "frames.csv").read_bytes().endswith(b"\n")
    return analysed


def test_full_disk(session: LiveSession, small_disk: Path) -> None:
    recorder, folder = _begin(session, small_disk)
    (small_disk / "filler").write_bytes(bytes(20_000))
    wait_until(recorder.is_over.is_set)
    assert _has_a_picture(session)
    assert "No space left on device" in _end(session, recorder)
    assert len(_kept(folder)) > 10
    # There may be no space to say how it ended either.
    assert open_session(folder).facts["state"] in ("failed", "recovered")


def test_file_that_may_not_grow(session: LiveSession, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    recorder, folder = _begin(session, tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / "frames.csv").stat().st_size + 2000, before[1]))
        wait_until(recorder.is_over.is_set)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert _has_a_picture(session)
    assert "frames.csv' cannot be written (File too large)" in _end(session, recorder)
    assert len(_kept(folder)) > 10


def test_folder_that_is_removed(session: LiveSession, tmp_path: Path) -> None:
    recorder, folder = _begin(session, tmp_path)
    shutil.rmtree(folder)
    wait_until(recorder.is_over.is_set)
    assert _has_a_picture(session)
    assert f"'{folder}" in _end(session, recorder)


def test_folder_that_is_moved_keeps_its_rows(session: LiveSession, tmp_path: Path) -> None:
    recorder, folder = _begin(session, tmp_path)
    moved = folder.rename(tmp_path / "moved")
    wait_until(recorder.is_over.is_set)
    assert _has_a_picture(session)
    assert f"'{folder}" in _end(session, recorder)
    assert len(_kept(moved)) > 10
    assert open_session(moved).facts["state"] == "recovered"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permission_that_is_lost(session: LiveSession, others_folder: Path) -> None:
    recorder, folder = _begin(session, others_folder)
    folder.chmod(0o500)
    before = len(_kept(folder))
    wait_until(lambda: len(_kept(folder)) > before)
    assert _has_a_picture(session)
    assert "session.json' cannot be written (Permission denied)" in _end(session, recorder)
    rows = len(_kept(folder))
    assert rows > before
    opened = open_session(folder)
    assert (opened.facts["state"], len(opened.frames.filter(opened.frames["status"] == "ok"))) == ("recovered", rows)


def _stuck(real: Callable[..., int], is_free: threading.Event, is_stuck: threading.Event) -> Callable[..., int]:
    """A call to a disk that does not answer for a while."""

    def call(*arguments: object) -> int:
        is_stuck.set()
        is_free.wait(20)
        return real(*arguments)

    return call


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_slow_disk(name: str, session: LiveSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.rowfile.SYNC_S", 0.0)
    recorder, folder = _begin(session, tmp_path)
    is_free, is_stuck = threading.Event(), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(os, name, _stuck(getattr(os, name), is_free, is_stuck))
        assert is_stuck.wait(20)
        frames = session.status().frames
        wait_until(lambda: session.status().frames > frames + 30)
        assert _has_a_picture(session)
        is_free.set()
    assert _end(session, recorder) == ""
    rows = pd.read_csv(folder / "frames.csv")
    captured = rows.loc[rows.status != "dropped", "frame_index"].nunique() + rows.dropped_before.sum()
    assert captured == open_session(folder).facts["counts"]["frames_captured"] > 40
    assert set(rows.reason.dropna()) <= {"slow"}
