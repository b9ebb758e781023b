from __future__ import annotations

import inspect
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_live.backends.backend import Backend
from fer_live.capture.camera import OpenCvCamera
from fer_live.capture.opening import LiveSource
from fer_live.capture.paced import PacedSource
from fer_live.capture.source import Source
from fer_live.config import Config
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Frame, Result
from fer_live.detect.finder import FaceFinder
from fer_live.errors import BackendError, BaselineError, SourceError
from fer_live.pipeline.analyser import FaceFollower
from fer_live.pipeline.analysis import AnalysisStage
from fer_live.pipeline.baselines import Baselines
from fer_live.pipeline.capture import CaptureStage
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.status import LiveState
from fer_live.record.recorder import Recorder
from tests.fakes import Act, CodeFinder, FakeDevice, PictureCamera, TableBackend, code_of, coded_picture, left_of
from tests.waiting import wait_until

_SPEED = 10.0
"""How much faster than ours the session's clock runs, so that its patience of 1.5 s is soon over."""


def _fast() -> float:
    return _SPEED * time.perf_counter()


class _Rig:
    """Sessions on fakes, all stopped at the end."""

    def __init__(self) -> None:
        self.device = FakeDevice()
        self.backend: Backend = TableBackend()
        self._sessions: list[LiveSession] = []

    def session(
        self,
        open_source: Callable[[], Source] | None = None,
        is_device: bool = True,
        clock: Callable[[], float] = time.perf_counter,
        open_finder: Callable[[], FaceFinder] = CodeFinder,
        open_backend: Callable[[], Backend] | None = None,
    ) -> LiveSession:
        self.device.clock = clock
        source = LiveSource("fake", open_source or self.device.open, is_device)
        session = LiveSession(Config(), source, open_finder, open_backend or (lambda: self.backend), clock)
        self._sessions.append(session)
        return session

    def started(self, *arguments: object, **named: object) -> LiveSession:
        session = self.session(*arguments, **named)  # type: ignore[arg-type]
        session.start()
        return session

    def running(self, **named: object) -> LiveSession:
        session = self.started(**named)
        _wait_for(session, LiveState.RUNNING)
        return session

    def close(self) -> None:
        self.device.act = Act.UNPLUGGED
        for session in self._sessions:
            session.stop()


@pytest.fixture
def rig() -> Iterator[_Rig]:
    rig = _Rig()
    yield rig
    rig.close()


def _wait_for(session: LiveSession, state: LiveState) -> None:
    wait_until(lambda: session.status().state is state, state)


def _recorded(folder: Path) -> tuple[pd.DataFrame, dict]:
    (session,) = folder.iterdir()
    return pd.read_csv(session / "frames.csv"), json.loads((session / "session.json").read_text())


def _let_fall_silent(rig: _Rig, session: LiveSession) -> int:
    """Has the camera wait, and all that it gave analysed; returns the number of its last frame."""
    rig.device.act = Act.SILENT
    newest = -1
    while (taken := session.results.take(0.5)) is not None or session.status().frames != newest + 1:
        newest = newest if taken is None else taken[0].index
    return newest


def _captured(rows: pd.DataFrame) -> int:
    """The frames captured, by the rule of docs/csv.md."""
    analysed = rows.loc[rows.status != "dropped", "frame_index"].nunique()
    return int(analysed + rows.dropped_before.sum())


def _stop_in_time(session: LiveSession) -> None:
    # stop() itself names the threads that did not end within its bound.
    assert session.stop() == []
    assert not session.is_alive()
    assert session.status().state is LiveState.STOPPED
    assert session.stop() == []


class TestFlow:
    def test_frames_and_results_belong_together(self, rig: _Rig) -> None:
        session = rig.running()
        indices = []
        for _ in range(20):
            taken = session.results.take(10)
            assert taken is not None
            frame, result = taken
            assert frame.index == result.frame_index
            assert frame.captured_at == result.captured_at
            assert result.tracks[0].box[0] == left_of(frame.image)
            indices.append(frame.index)
        assert indices == sorted(set(indices))

    def test_backend_is_known_once_it_is_open(self, rig: _Rig) -> None:
        session = rig.session()
        assert session.backend is None
        assert session.status().state is LiveState.STARTING
        session.start()
        _wait_for(session, LiveState.RUNNING)
        assert session.backend is rig.backend
        assert session.status().mode == "160x120"
        assert session.name == "fake"

    def test_file_is_analysed_to_its_last_frame(self, rig: _Rig, tmp_path: Path) -> None:
        pictures = [coded_picture(number) for number in range(3)]
        session = rig.started(lambda: PictureCamera(pictures), is_device=False)
        _wait_for(session, LiveState.ENDED)
        taken = session.results.take(10)
        assert taken is not None
        assert taken[1].frame_index == 2

    def test_file_waits_until_it_can_be_analysed(self, rig: _Rig) -> None:
        is_loaded = threading.Event()

        def load() -> Backend:
            is_loaded.wait(20)
            return rig.backend

        camera = _Counting([coded_picture(0)] * 3)
        opened = threading.Event()

        def open_file() -> Source:
            opened.set()
            return camera

        session = rig.started(open_file, is_device=False, open_backend=load)
        assert opened.wait(20)
        assert session.status().state is LiveState.STARTING
        assert camera.reads == 0
        is_loaded.set()
        _wait_for(session, LiveState.ENDED)
        assert camera.reads == 4

    def test_drops_while_loading_are_not_counted(self, rig: _Rig) -> None:
        is_loaded = threading.Event()

        def load() -> Backend:
            is_loaded.wait(20)
            return rig.backend

        session = rig.started(open_backend=load)
        wait_until(lambda: rig.device.given > 10)
        assert session.status().state is LiveState.STARTING
        is_loaded.set()
        _wait_for(session, LiveState.RUNNING)
        assert session.status().dropped < 10


class _Counting(PictureCamera):
    reads = 0

    def read(self) -> Frame | None:
        self.reads += 1
        return super().read()


class TestFailure:
    def test_camera_that_was_never_there(self, rig: _Rig) -> None:
        rig.device.act = Act.UNPLUGGED
        session = rig.started()
        _wait_for(session, LiveState.FAILED)
        error = session.status().error
        assert isinstance(error, SourceError)
        assert "unplugged" in str(error)

    def test_backend_that_cannot_be_opened(self, rig: _Rig) -> None:
        cause = BackendError("No network here.", "Get one.")

        def fail() -> Backend:
            raise cause

        session = rig.started(open_backend=fail)
        _wait_for(session, LiveState.FAILED)
        assert session.status().error is cause

    def test_backend_that_fails_later(self, rig: _Rig) -> None:
        session = rig.running()
        rig.backend.close()
        _wait_for(session, LiveState.FAILED)
        assert isinstance(session.status().error, BackendError)
        assert "closed" in str(session.status().error)

    def test_bug_arrives_with_its_cause_and_is_logged(self, rig: _Rig, logged_warnings: list[str]) -> None:
        session = rig.started(open_finder=_BrokenFinder)
        _wait_for(session, LiveState.FAILED)
        error = session.status().error
        assert isinstance(error, ZeroDivisionError)
        assert error.__traceback__ is not None
        assert logged_warnings == ["ERROR fer_live.pipeline.live: the analysis stage failed"]
        logged_warnings.clear()

    def test_bug_of_a_camera(self, rig: _Rig, logged_warnings: list[str]) -> None:
        session = rig.started(_raise_value_error)
        _wait_for(session, LiveState.FAILED)
        assert isinstance(session.status().error, ValueError)
        assert "the capture stage failed" in logged_warnings.pop()


class _BrokenFinder(CodeFinder):
    def find(self, frame: Frame) -> None:  # type: ignore[override]
        raise ZeroDivisionError("a bug")


def _raise_value_error() -> Source:
    raise ValueError("a bug")


class TestLoss:
    @pytest.mark.parametrize(
        ("act", "word"),
        [(Act.FROZEN, "frozen"), (Act.BLACK, "black"), (Act.UNPLUGGED, "unplugged"), (Act.SILENT, "None")],
    )
    def test_is_noticed_written_and_mended(self, act: Act, word: str, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running(clock=_fast)
        session.start_recording(tmp_path)
        recorder = session.recorder
        assert recorder is not None
        wait_until(lambda: session.status().frames > 10)
        rig.device.act = act
        _wait_for(session, LiveState.STALLED)
        assert word in str(session.status().error)
        before = session.status().frames
        rig.device.act = Act.LIVE
        _wait_for(session, LiveState.RUNNING)
        wait_until(lambda: session.status().frames > before + 10)
        session.stop()
        rows, facts = _recorded(tmp_path)
        gaps = rows[(rows.status == "dropped") & (rows.dropped_before == 0)]
        assert len(gaps) == 1
        after = rows.loc[gaps.index[0] :]
        assert after.t_mono_s.iloc[-1] - gaps.t_mono_s.iloc[0] > 0.5
        assert rows.t_mono_s.is_monotonic_increasing
        analysed = rows[rows.status == "ok"]
        assert analysed.frame_index.is_monotonic_increasing
        assert analysed.frame_index.is_unique
        assert _captured(rows) == facts["counts"]["frames_captured"]

    @pytest.mark.parametrize(("is_locked", "reason"), [(True, "screen_locked"), (False, "camera_lost")])
    def test_camera_that_a_locked_screen_takes_away(
        self, is_locked: bool, reason: str, rig: _Rig, tmp_path: Path
    ) -> None:
        session = rig.running()
        session.start_recording(tmp_path)
        session.is_screen_locked = is_locked
        rig.device.act = Act.UNPLUGGED
        _wait_for(session, LiveState.STALLED)
        session.stop()
        rows, _ = _recorded(tmp_path)
        assert rows.reason[rows.dropped_before == 0].tolist() == [reason]

    def test_countdown_to_the_next_try(self, rig: _Rig) -> None:
        session = rig.running()
        rig.device.act = Act.UNPLUGGED
        _wait_for(session, LiveState.STALLED)
        wait_until(lambda: 0.5 < session.status().retry_in_s <= 1.0)

    def test_recording_that_begins_while_the_camera_is_away_has_its_gap(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        rig.device.act = Act.UNPLUGGED
        _wait_for(session, LiveState.STALLED)
        before = datetime.now().astimezone()
        session.start_recording(tmp_path)
        session.status()
        session.mark("before the first frame", "key")
        lost = session.status().frames
        rig.device.act = Act.LIVE
        wait_until(lambda: session.status().frames > lost + 5)
        session.stop()
        rows, facts = _recorded(tmp_path)
        assert rows.reason[:2].fillna("").tolist() == ["camera_lost", ""]
        assert (rows.frame_index[0], rows.frame_index[1], rows.t_mono_s[0]) == (0, 0, 0)
        assert datetime.fromisoformat(rows.t_wall_iso[0]) >= before - timedelta(milliseconds=1)
        assert _captured(rows) == facts["counts"]["frames_captured"]
        (path,) = tmp_path.glob("*/markers.csv")
        (marker,) = pd.read_csv(path).itertuples()
        assert np.isnan(marker.frame_index)
        assert 0 <= marker.t_mono_s < rows.t_mono_s[1]


class TestMarkers:
    def test_is_the_newest_captured_frame_and_goes_into_the_recording(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        unrecorded = session.mark("before", "key")
        session.start_recording(tmp_path)
        frames = session.status().frames
        wait_until(lambda: session.status().frames > frames + 5)
        marker = session.mark("now", "osc")
        assert marker is not None
        assert marker.frame_index is not None
        assert marker.frame_index >= frames + 4
        session.stop()
        assert session.markers == [unrecorded, marker]
        (path,) = tmp_path.glob("*/markers.csv")
        assert pd.read_csv(path)[["name", "origin"]].to_numpy().tolist() == [["now", "osc"]]

    def test_is_the_moment_itself_while_the_camera_is_lost(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running(clock=_fast)
        session.start_recording(tmp_path)
        newest = _let_fall_silent(rig, session)
        _wait_for(session, LiveState.STALLED)
        before = _fast()
        first, second = session.mark("on", "lsl"), session.mark("off", "lsl")
        assert first is not None
        assert second is not None
        assert before <= first.at < second.at <= _fast()
        assert (first.frame_index, second.frame_index) == (newest, newest)
        rig.device.act = Act.LIVE
        session.stop()
        (path,) = tmp_path.glob("*/markers.csv")
        assert pd.read_csv(path).t_mono_s.is_monotonic_increasing

    def test_nothing_to_mark_before_the_first_frame(self, rig: _Rig) -> None:
        session = rig.session()
        assert session.mark("x", "key") is None
        assert session.markers == []

    def test_from_many_threads_none_is_lost(self, rig: _Rig) -> None:
        session = rig.running()
        threads = [
            threading.Thread(target=lambda: [session.mark("x", "websocket") for _ in range(100)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(session.markers) == 400


class TestRecording:
    def test_time_starts_with_the_first_frame(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        wait_until(lambda: session.status().frames > 5)
        session.start_recording(tmp_path)
        wait_until(lambda: session.status().frames > 40)
        session.stop()
        rows, facts = _recorded(tmp_path)
        assert (rows.frame_index[0], rows.t_mono_s[0]) == (0, 0)
        assert rows.t_mono_s.is_monotonic_increasing
        assert (facts["kind"], facts["state"]) == ("record", "closed")
        assert facts["source"] == {"name": "fake", "mode": "160x120"}
        wall = pd.to_datetime(rows.t_wall_iso)
        assert abs((pd.Timestamp.now(wall[0].tz) - wall[0]).total_seconds()) < 60

    def test_first_frame_is_there_though_it_was_analysed_before(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        newest = _let_fall_silent(rig, session)
        session.start_recording(tmp_path)
        rig.device.act = Act.LIVE
        wait_until(lambda: session.status().frames > newest + 10)
        session.stop()
        rows, _ = _recorded(tmp_path)
        assert (rows.status[0], rows.frame_index[0], rows.t_mono_s[0]) == ("ok", 0, 0)

    def test_frame_that_comes_after_the_stop_is_nobodys_loss(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        session.start_recording(tmp_path)
        newest = _let_fall_silent(rig, session)
        session.request_stop()
        rig.device.act = Act.LIVE
        session.stop()
        assert session.status().frames == newest + 2
        rows, _ = _recorded(tmp_path)
        assert rows.status.iloc[-1] == "ok"

    def test_nothing_to_record_before_the_first_frame(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.session()
        session.start_recording(tmp_path)
        assert session.recorder is None
        assert session.end_recording() is None

    def test_two_recordings_of_one_session(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        folders = []
        for _ in range(2):
            session.start_recording(tmp_path)
            session.start_recording(tmp_path)
            frames = session.status().frames
            wait_until(lambda frames=frames: session.status().frames > frames + 10)  # type: ignore[misc]
            recorder = session.end_recording()
            assert recorder is not None
            wait_until(recorder.is_over.is_set)
            folders.append(recorder.folder)
            wait_until(lambda: "writer" not in {thread.name for thread in threading.enumerate()})
        assert len(set(folders)) == 2
        assert {folder.name for folder in tmp_path.iterdir()} == {folder.name for folder in folders if folder}

    def test_folder_that_cannot_be_made_ends_only_the_recording(self, rig: _Rig, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        session = rig.running()
        session.start_recording(tmp_path / "file")
        recorder = session.recorder
        assert recorder is not None
        wait_until(recorder.is_over.is_set)
        assert recorder.error is not None
        assert "cannot be made" in str(recorder.error)
        before = session.status().frames
        wait_until(lambda: session.status().frames > before + 5)
        assert session.status().state is LiveState.RUNNING

    def test_stop_closes_the_recording(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        session.start_recording(tmp_path)
        wait_until(lambda: session.status().frames > 20)
        _stop_in_time(session)
        _, facts = _recorded(tmp_path)
        assert facts["state"] == "closed"

    def test_failed_analysis_leaves_a_closed_recording(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running()
        session.start_recording(tmp_path)
        wait_until(lambda: session.status().frames > 20)
        rig.backend.close()
        _wait_for(session, LiveState.FAILED)
        session.stop()
        rows, facts = _recorded(tmp_path)
        assert facts["state"] == "closed"
        assert _captured(rows) == facts["counts"]["frames_captured"] > 10


class _GatedBackend(TableBackend):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.gate = threading.Semaphore(0)
        self.is_free = False

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.asked += 1
        while not self.is_free and not self.gate.acquire(timeout=0.05):
            continue
        return super().infer(batch)


class _SteppedCamera(PictureCamera):
    """Gives a picture when it is let."""

    def __init__(self) -> None:
        super().__init__([coded_picture(number) for number in range(9)])
        self.step = threading.Semaphore(0)

    def read(self) -> Frame | None:
        self.step.acquire()
        return super().read()


@pytest.mark.parametrize(("is_stopped", "statuses"), [(False, ["ok", "ok", "ok"]), (True, ["ok", "ok", "dropped"])])
def test_frames_under_way_as_the_recording_ends_are_in_it(
    is_stopped: bool, statuses: list[str], rig: _Rig, tmp_path: Path
) -> None:
    """Of a session that stops at once, the frame that waits for analysis is dropped."""
    camera, backend = _SteppedCamera(), _GatedBackend()
    session = rig.started(lambda: camera, is_device=False, open_backend=lambda: backend)
    camera.step.release()
    backend.gate.release()
    _wait_for(session, LiveState.RUNNING)
    session.start_recording(tmp_path)
    camera.step.release()
    wait_until(lambda: backend.asked == 2)
    camera.step.release()
    wait_until(lambda: session.status().frames == 3)
    recorder = session.end_recording()
    assert recorder is not None
    if is_stopped:
        session.request_stop()
    backend.is_free = True
    wait_until(recorder.is_over.is_set)
    rows, facts = _recorded(tmp_path)
    assert (rows.frame_index.tolist(), rows.status.tolist()) == ([0, 1, 2], statuses)
    assert (facts["state"], facts["counts"]["frames_captured"]) == ("closed", 3)
    camera.step.release(9)


def test_gap_comes_after_the_last_frame_before_it_however_late_that_is_analysed(rig: _Rig, tmp_path: Path) -> None:
    backend = _GatedBackend()
    session = rig.started(open_backend=lambda: backend)
    backend.gate.release()
    _wait_for(session, LiveState.RUNNING)
    session.start_recording(tmp_path)
    wait_until(lambda: backend.asked == 2)
    rig.device.act = Act.UNPLUGGED
    _wait_for(session, LiveState.STALLED)
    backend.is_free = True
    wait_until(lambda: session.results.take() is not None and session.status().state is LiveState.STALLED)
    last = session.status().frames
    rig.device.act = Act.LIVE
    wait_until(lambda: session.status().frames > last + 5)
    session.stop()
    rows, _ = _recorded(tmp_path)
    (gap,) = rows.index[rows.reason == "camera_lost"]
    assert rows.t_mono_s[gap] - rows.t_mono_s[gap - 1] == 0
    assert rows.frame_index[gap] == rows.frame_index[gap - 1] + 1 == rows.frame_index[gap + 1]
    assert rows.t_mono_s[gap + 1] - rows.t_mono_s[gap] > 0.3


class _LagFinder(CodeFinder):
    """Notes how many newer frames there were when a frame's turn came."""

    def __init__(self, device: FakeDevice) -> None:
        self._device = device
        self.lags: list[int] = []

    def find(self, frame: Frame):  # type: ignore[no-untyped-def]
        self.lags.append(self._device.given - code_of(frame.image))
        return super().find(frame)


def test_overload_loses_frames_but_never_falls_behind(rig: _Rig, tmp_path: Path) -> None:
    backend = _GatedBackend()
    finder = _LagFinder(rig.device)
    session = rig.session(open_finder=lambda: finder, open_backend=lambda: backend)
    session.start()
    try:
        wait_until(lambda: len(finder.lags) == 1)
        session.start_recording(tmp_path)
        for turn in range(2, 12):
            given = rig.device.given
            wait_until(lambda given=given: rig.device.given > given + 10)  # type: ignore[misc]
            backend.gate.release()
            wait_until(lambda turn=turn: len(finder.lags) == turn)  # type: ignore[misc]
        dropped = session.status().dropped
    finally:
        backend.is_free = True
        session.stop()
    # Ten frames came during each; a queue would end more than a hundred behind.
    assert max(finder.lags[1:]) < 10
    assert dropped > 9 * 8
    rows, facts = _recorded(tmp_path)
    counts = facts["counts"]
    assert _captured(rows) == counts["frames_captured"] > 100
    assert counts["frames_analysed"] == rows.loc[rows.status == "ok", "frame_index"].nunique()
    assert counts["frames_captured"] == counts["frames_analysed"] + counts["frames_dropped"]


class TestStop:
    def test_never_started(self, rig: _Rig) -> None:
        _stop_in_time(rig.session())

    def test_starting(self, rig: _Rig) -> None:
        _stop_in_time(rig.started())

    def test_running(self, rig: _Rig) -> None:
        _stop_in_time(rig.running())
        assert all(camera.is_closed for camera in rig.device.cameras)

    def test_stalled_between_two_tries(self, rig: _Rig) -> None:
        session = rig.running()
        rig.device.act = Act.UNPLUGGED
        wait_until(lambda: session.status().retry_in_s > 0.6)
        _stop_in_time(session)

    def test_camera_that_answers_late(self, rig: _Rig) -> None:
        session = rig.running()
        rig.device.act = Act.SILENT
        _wait_for(session, LiveState.STALLED)
        session.request_stop()
        rig.device.act = Act.LIVE
        _stop_in_time(session)

    def test_failed(self, rig: _Rig) -> None:
        rig.device.act = Act.UNPLUGGED
        session = rig.started()
        _wait_for(session, LiveState.FAILED)
        _stop_in_time(session)

    def test_ended(self, rig: _Rig) -> None:
        session = rig.started(lambda: PictureCamera([coded_picture(1)]), is_device=False)
        _wait_for(session, LiveState.ENDED)
        _stop_in_time(session)

    def test_file_whose_next_frame_is_far_away(self, rig: _Rig) -> None:
        pictures = [coded_picture(number) for number in range(2)]
        session = rig.started(lambda: PacedSource(PictureCamera(pictures, rate_hz=0.01)), is_device=False)
        _wait_for(session, LiveState.RUNNING)
        _stop_in_time(session)

    def test_file_that_waits_for_its_network(self, rig: _Rig) -> None:
        def fail() -> Backend:
            raise BackendError("No network here.")

        session = rig.started(lambda: PictureCamera([coded_picture(1)]), is_device=False, open_backend=fail)
        _wait_for(session, LiveState.FAILED)
        _stop_in_time(session)

    def test_camera_that_never_answers_is_named_and_left(self, rig: _Rig, logged_warnings: list[str]) -> None:
        session = rig.running()
        rig.device.act = Act.SILENT
        _wait_for(session, LiveState.STALLED)
        assert session.stop() == ["capture"]
        assert session.stop() == ["capture"]
        assert [line for line in logged_warnings if "capture" not in line] == []
        rig.device.act = Act.LIVE
        wait_until(lambda: not session.is_alive())
        logged_warnings.clear()

    def test_no_result_after_the_stop(self, rig: _Rig) -> None:
        session = rig.running()
        session.stop()
        session.results.take()
        assert session.results.take(0.1) is None


class TestBaseline:
    def test_resting_face_then_reads_neutral_and_the_session_says_so(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running(clock=lambda: 2 * time.perf_counter())
        session.start_recording(tmp_path)
        session.take_baseline(1)
        wait_until(session.finish_baseline)
        wait_until(lambda: _newest_label(session) == "neutral")
        session.remove_baseline(1)
        wait_until(lambda: _newest_label(session) == "sad")
        session.stop()
        rows, facts = _recorded(tmp_path)
        taken, removed = facts["baselines"]["1"]
        before, after = rows[rows.t_mono_s < taken["at"]], rows[rows.t_mono_s.between(taken["at"], removed["at"])]
        assert set(rows.label.dropna()) == {"sad"}
        assert set(before.label_smoothed.dropna()) == {"sad"}
        assert "neutral" in set(after.label_smoothed)
        assert (len(taken["offset"]), removed["offset"]) == (7, None)

    def test_recording_that_begins_later_has_it_too(self, rig: _Rig, tmp_path: Path) -> None:
        session = rig.running(clock=lambda: 2 * time.perf_counter())
        session.take_baseline(1)
        wait_until(session.finish_baseline)
        session.start_recording(tmp_path)
        session.stop()
        _, facts = _recorded(tmp_path)
        (taken,) = facts["baselines"]["1"]
        assert len(taken["offset"]) == 7

    def test_network_without_a_reference_is_named(self, rig: _Rig) -> None:
        rig.backend = TableBackend(np.full((7, 7), 1 / 7, np.float32))
        with pytest.raises(BaselineError, match="model card does not say"):
            rig.running().take_baseline(1)


def _newest_label(session: LiveSession) -> str:
    taken = session.results.take(10)
    assert taken is not None
    (track,) = taken[1].tracks
    return "" if track.label_index is None else FER2013_LABELS[track.label_index]


def test_all_tell_the_time_by_one_clock_that_is_fine_on_windows_too() -> None:
    parts = (OpenCvCamera, PacedSource, CaptureStage, AnalysisStage, FaceFollower, Baselines, Recorder, LiveSession)
    assert {inspect.signature(part).parameters["clock"].default for part in parts} == {time.perf_counter}


def test_result_has_no_pixels(rig: _Rig) -> None:
    session = rig.running()
    taken = session.results.take(10)
    assert taken is not None
    assert isinstance(taken[1], Result)
    assert not hasattr(taken[1], "image")
