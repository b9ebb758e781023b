from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.config import RecordingConfig
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.record.recorder import Gap, Recorder
from fer_live.record.session import Origin
from tests.waiting import wait_until

_START = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
_ORIGIN = Origin(100, 50.0)
_ANY_DISK = RecordingConfig(warn_below_mb=0, stop_below_mb=0)


def _result(index: int) -> Result:
    """A face in the frame that was captured index tenths of a second after the origin."""
    probabilities = np.full(7, 1 / 7, np.float32)
    track = Track(1, np.array([0, 0, 50, 60], np.float32), 0.9, probabilities, probabilities, 0, 1, 0.0)
    captured_at = _ORIGIN.captured_at + index / 10
    return Result(_ORIGIN.frame_index + index, captured_at, captured_at + 0.02, (track,), {"infer": 4.0})


def _recorder(parent: Path, settings: RecordingConfig = _ANY_DISK) -> Recorder:
    return Recorder(parent, FER2013_LABELS, {"kind": "record"}, _START, _ORIGIN, settings)


def _finish(recorder: Recorder, frames_captured: int) -> tuple[pd.DataFrame, dict]:
    """Writes what was offered; frames_captured since the origin."""
    stop = threading.Event()
    stop.set()
    recorder.finish_at(_ORIGIN.frame_index + frames_captured)
    recorder.run(stop)
    return _session(recorder)


def _session(recorder: Recorder) -> tuple[pd.DataFrame, dict]:
    assert recorder.folder is not None
    facts = json.loads((recorder.folder / "session.json").read_text())
    return pd.read_csv(recorder.folder / "frames.csv"), facts


def test_results_become_rows_from_the_origin_on(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for index in (-2, -1, 0, 1, 2):
        recorder.offer(_result(index))
    rows, facts = _finish(recorder, 3)
    assert rows.frame_index.tolist() == [0, 1, 2]
    assert rows.t_mono_s.tolist() == pytest.approx([0, 0.1, 0.2])
    assert rows.t_wall_iso[0] == "2026-03-01T12:30:15.000+00:00"
    assert rows.age_ms.tolist() == pytest.approx([20.0] * 3)
    assert facts["state"] == "closed"
    assert recorder.counts == facts["counts"]
    assert recorder.is_over.is_set()
    assert recorder.error is None


def test_folder_is_named_after_its_start_and_never_taken_twice(tmp_path: Path) -> None:
    folders = []
    for _ in range(3):
        recorder = _recorder(tmp_path)
        _, facts = _finish(recorder, 0)
        assert recorder.folder is not None
        assert facts["session_id"] == recorder.folder.name
        folders.append(recorder.folder.name)
    assert folders == ["2026-03-01_12-30-15", "2026-03-01_12-30-15-2", "2026-03-01_12-30-15-3"]


def test_what_the_queue_cannot_hold_is_accounted_for(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for index in range(1000):
        recorder.offer(_result(index))
    rows, facts = _finish(recorder, 1000)
    counts = facts["counts"]
    assert counts["frames_captured"] == 1000
    assert counts["frames_dropped"] > 400
    assert counts["frames_analysed"] + counts["frames_dropped"] == 1000
    assert rows.dropped_before.sum() == counts["frames_dropped"]


def test_lost_camera_is_a_row(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for item in (_result(0), _result(1), Gap(_result(1).captured_at), _result(2)):
        recorder.offer(item)
    rows, _ = _finish(recorder, 3)
    assert rows.status.tolist() == ["ok", "ok", "dropped", "ok"]
    assert rows.dropped_before.tolist()[2] == 0
    assert rows.t_mono_s.tolist() == pytest.approx([0, 0.1, 0.1, 0.2])


def _has_begun(recorder: Recorder) -> bool:
    return recorder.folder is not None and (recorder.folder / "session.json").exists()


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Recorder]:
    """A recorder at work on its thread, whose session has begun."""
    recorder, stop = _recorder(tmp_path), threading.Event()
    thread = threading.Thread(target=recorder.run, args=(stop,))
    thread.start()
    wait_until(lambda: _has_begun(recorder))
    yield recorder
    stop.set()
    thread.join()


def test_session_says_recording_until_it_is_closed(writing: Recorder) -> None:
    assert writing.folder is not None
    facts = json.loads((writing.folder / "session.json").read_text())
    assert facts["state"] == "recording"
    assert not writing.is_over.is_set()


def test_rows_reach_the_file_while_it_is_recording(writing: Recorder) -> None:
    writing.offer(_result(0))
    wait_until(lambda: len(_session(writing)[0]) == 1)


def test_disk_that_fails_ends_it_and_keeps_the_rows(writing: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    writing.offer(_result(0))
    wait_until(lambda: len(_session(writing)[0]) == 1)
    real = os.write

    def write(file: int, content: bytes) -> int:
        if b"2026" in content:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, content)

    monkeypatch.setattr(os, "write", write)
    writing.offer(_result(1))
    wait_until(writing.is_over.is_set)
    monkeypatch.undo()
    assert "No space left" in str(writing.error)
    rows, facts = _session(writing)
    assert rows.frame_index.tolist() == [0]
    assert facts["state"] == "failed"
    for index in range(1000):
        writing.offer(_result(index))


def test_folder_that_vanishes(tmp_path: Path) -> None:
    recorder, stop = _recorder(tmp_path), threading.Event()
    thread = threading.Thread(target=recorder.run, args=(stop,))
    thread.start()
    wait_until(lambda: _has_begun(recorder))
    shutil.rmtree(tmp_path)
    recorder.offer(_result(0))
    stop.set()
    thread.join()
    assert "session.json' cannot be written" in str(recorder.error)
    assert recorder.counts["frames_analysed"] == 1


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recorder = _recorder(tmp_path / "file")
    recorder.run(threading.Event())
    assert "cannot be made" in str(recorder.error)
    assert recorder.folder is None
    assert recorder.is_over.is_set()
