from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from fer_live.config import RecordingConfig
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Frame, Marker, Result, Track
from fer_live.errors import RecordError
from fer_live.record.columns import GapReason
from fer_live.record.recorder import Fact, Gap, Recorder
from fer_live.record.session import Origin
from tests.fakes import ManualClock
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


def test_what_is_no_result_always_fits(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for index in range(600):
        recorder.offer(_result(index))
    recorder.offer(Marker(100.0, "on a disk that hangs", "key", 600))
    recorder.offer(Gap(_result(599).captured_at))
    recorder.offer(Fact("baselines", {"1": []}))
    rows, facts = _finish(recorder, 600)
    assert recorder.folder is not None
    assert pd.read_csv(recorder.folder / "markers.csv").name.tolist() == ["on a disk that hangs"]
    assert "camera_lost" in rows.reason.tolist()
    assert facts["baselines"] == {"1": []}


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


def test_markers_have_the_time_and_number_of_their_frame(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for item in (
        Marker(49.9, "too early", "key", 99),
        _result(0),
        Marker(50.1, "Anfang, \"ö\"\n zwei", "text", 101),
        _result(1),
        Marker(50.25, "from afar", "lsl"),
    ):
        recorder.offer(item)
    _finish(recorder, 2)
    assert recorder.folder is not None
    content = (recorder.folder / "markers.csv").read_text()
    assert content.splitlines() == [
        "marker_id,t_mono_s,t_wall_iso,frame_index,name,origin",
        '1,0.100000,2026-03-01T12:30:15.100+00:00,1,"Anfang, ""ö"" zwei",text',
        "2,0.250000,2026-03-01T12:30:15.250+00:00,,from afar,lsl",
    ]


def test_a_marker_is_on_disk_at_once(writing: Recorder) -> None:
    assert writing.folder is not None
    path = writing.folder / "markers.csv"
    writing.offer(Marker(50.0, "now", "key", 100))
    wait_until(lambda: "now" in path.read_text())
    assert not writing.is_over.is_set()


def test_a_marker_is_synced_in_time_also_while_rows_come_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, synced = os.write, []

    def write_and_let_time_pass(file: int, content: bytes) -> int:
        if b",ok," in content:
            monkeypatch.setattr("fer_live.record.rowfile.SYNC_S", 0.0)
        return write(file, content)

    monkeypatch.setattr("fer_live.record.rowfile.FLUSH_S", 0.0)
    monkeypatch.setattr("fer_live.record.rowfile.SYNC_S", 3600.0)
    monkeypatch.setattr(os, "write", write_and_let_time_pass)
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_ino))
    recorder = _recorder(tmp_path)
    for item in (Marker(50.0, "now", "key", 100), _result(0), _result(1), _result(2)):
        recorder.offer(item)
    _finish(recorder, 3)
    assert recorder.folder is not None
    assert synced.count((recorder.folder / "markers.csv").stat().st_ino) == 2, "while recording, and at the end"


def test_notes_are_in_session_json_while_recording(writing: Recorder) -> None:
    assert writing.folder is not None
    path = writing.folder / "session.json"
    writing.offer(Fact("baselines", {"1": {"at": 2.5, "offset": [0.1, 0.2]}}))
    wait_until(lambda: "baselines" in path.read_text())
    facts = json.loads(path.read_text())
    assert facts["baselines"] == {"1": {"at": 2.5, "offset": [0.1, 0.2]}}
    assert facts["state"] == "recording"


def test_facts_that_cannot_be_written_meanwhile_cost_no_row(writing: Recorder) -> None:
    assert writing.folder is not None
    # The first session.json is there a moment before its writing is over.
    writing.offer(Marker(50.0, "begun", "key", 100))
    wait_until(lambda: "begun" in (writing.folder / "markers.csv").read_text())  # type: ignore[operator]
    in_the_way = writing.folder / "session.json.partial"
    in_the_way.mkdir()
    writing.offer(Fact("baselines", {"1": []}))
    writing.offer(_result(0))
    wait_until(lambda: len(_session(writing)[0]) == 1 or writing.is_over.is_set())
    in_the_way.rmdir()
    writing.offer(Fact("later", 1))
    wait_until(lambda: "later" in _session(writing)[1])
    assert (_session(writing)[1]["baselines"], writing.error) == ({"1": []}, None)


@pytest.mark.parametrize("reason", [GapReason.CAMERA_LOST, GapReason.SCREEN_LOCKED])
def test_gap_has_its_reason(reason: GapReason, tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    for item in (_result(0), Gap(50.0, reason), _result(1)):
        recorder.offer(item)
    rows, _ = _finish(recorder, 2)
    assert rows.reason.fillna("").tolist() == ["", reason.value, ""]


def test_sleep_is_a_gap_and_a_new_pair_of_clocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = iter([0.0, 0.0, 3600.0, 3600.0])
    monkeypatch.setattr("fer_live.record.clocks.seconds_asleep", lambda: next(asleep, 3600.0))
    clock = ManualClock(50.3)
    recorder = Recorder(tmp_path, FER2013_LABELS, {"kind": "record"}, _START, _ORIGIN, _ANY_DISK, clock)
    for index in range(4):
        recorder.offer(_result(index))
    rows, facts = _finish(recorder, 4)
    assert rows.status.tolist() == ["ok", "dropped", "ok", "ok", "ok"]
    assert (rows.reason[1], rows.dropped_before[1], rows.t_mono_s[1]) == ("suspended", 0, 0.0)
    first, second = facts["clocks"]
    assert first == {"t_mono_s": 0.0, "t_wall_iso": "2026-03-01T12:30:15.000+00:00"}
    assert second["t_mono_s"] == pytest.approx(0.3)
    # Session times count no sleep, and wall-clock times do: they are those of the machine that woke up just now.
    woken = datetime.fromisoformat(second["t_wall_iso"])
    assert woken > datetime(2026, 6, 1, tzinfo=UTC)
    assert datetime.fromisoformat(rows.t_wall_iso[4]) == pytest.approx(woken, abs=timedelta(seconds=0.1))
    assert pd.to_datetime(rows.t_wall_iso, utc=True).is_monotonic_increasing


def test_little_space_is_warned_of(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path, RecordingConfig(warn_below_mb=1_000_000, stop_below_mb=0))
    assert recorder.warnings == ()
    recorder.offer(_result(0))
    rows, facts = _finish(recorder, 1)
    (warning,) = recorder.warnings
    assert "MB left. Free some space" in str(warning)
    assert recorder.error is None
    assert (len(rows), facts["state"]) == (1, "closed")


def test_hardly_any_space_ends_it_cleanly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.disk.LOOK_S", 0.0)
    free = iter([10**12, 10**12, 10**12])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, next(free, 10**6)))
    recorder = _recorder(tmp_path, RecordingConfig())
    for index in range(10):
        recorder.offer(_result(index))
    recorder.run(threading.Event())
    rows, facts = _session(recorder)
    assert rows.frame_index.tolist() == [0, 1, 2]
    assert facts["state"] == "closed"
    assert "has only 1 MB left, so nothing more is recorded" in str(recorder.error)


def test_without_space_nothing_begins(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path, RecordingConfig(stop_below_mb=1_000_000))
    recorder.run(threading.Event())
    assert "nothing more is recorded" in str(recorder.error)
    assert recorder.folder is None
    assert list(tmp_path.iterdir()) == []


def _frame(result: Result) -> Frame:
    return Frame(np.full((120, 160, 3), 128, np.uint8), result.frame_index, result.captured_at)


def test_picture_is_recorded_beside_the_rows_when_asked_for(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path, RecordingConfig(warn_below_mb=0, stop_below_mb=0, video=True, blur_faces=True))
    for index in range(3):
        recorder.offer(_result(index))
        recorder.offer_picture(_frame(_result(index)), _result(index))
    rows, facts = _finish(recorder, 3)
    assert len(rows) == 3
    assert facts["video"] == {"file": "video.mp4", "has_blurred_faces": True, "frames": 3, "frames_dropped": 0}
    assert recorder.folder is not None
    with av.open(str(recorder.folder / "video.mp4")) as video:
        assert [frame.time for frame in video.decode(video=0)] == pytest.approx([0, 0, 0.1, 0.2], abs=1e-3)


def test_no_picture_is_recorded_unless_asked_for(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path)
    recorder.offer(_result(0))
    recorder.offer_picture(_frame(_result(0)), _result(0))
    _, facts = _finish(recorder, 1)
    assert recorder.folder is not None
    assert {path.name for path in recorder.folder.iterdir()} == {"frames.csv", "markers.csv", "session.json"}
    assert "video" not in facts


@pytest.fixture
def no_video(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes no picture."""

    def fail(*_: object) -> None:
        raise RecordError("'video.mp4' cannot be written (No space left on device).", "Free some space.")

    monkeypatch.setattr("fer_live.record.mp4.Mp4File.write", fail)


@pytest.mark.usefixtures("no_video")
def test_picture_that_cannot_be_recorded_is_a_warning_and_costs_no_row(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path, RecordingConfig(warn_below_mb=0, stop_below_mb=0, video=True))
    for index in range(100):
        recorder.offer(_result(index))
        recorder.offer_picture(_frame(_result(index)), _result(index))
    rows, facts = _finish(recorder, 100)
    assert (len(rows), facts["state"], recorder.error) == (100, "closed", None)
    (warning,) = recorder.warnings
    assert "video.mp4" in str(warning)


@pytest.mark.usefixtures("no_video")
def test_no_warning_hides_another(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path, RecordingConfig(warn_below_mb=1_000_000, stop_below_mb=0, video=True))
    recorder.offer(_result(0))
    recorder.offer_picture(_frame(_result(0)), _result(0))
    _finish(recorder, 1)
    assert [text for text in ("video.mp4", "MB left") if text in str(recorder.warnings)] == ["video.mp4", "MB left"]


def test_without_the_package_for_videos_nothing_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    recorder = _recorder(tmp_path / "new", RecordingConfig(video=True))
    recorder.run(threading.Event())
    assert "not installed (av)" in str(recorder.error)
    assert not (tmp_path / "new").exists()


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recorder = _recorder(tmp_path / "file")
    recorder.run(threading.Event())
    assert "cannot be made" in str(recorder.error)
    assert recorder.folder is None
    assert recorder.is_over.is_set()
