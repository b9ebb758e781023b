from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from fer_live.backends.backend import Backend
from fer_live.config import RecordingConfig
from fer_live.core.structs import Frame, Marker, Result
from fer_live.pipeline.recordings import Recordings
from fer_live.pipeline.relay import BackendRelay
from fer_live.record.recorder import Recorder
from fer_live.record.session import Origin
from tests.fakes import TableBackend, coded_picture
from tests.waiting import wait_until


class _Rig:
    """Recordings of ten frames a second, on the same backend."""

    def __init__(self, folder: Path) -> None:
        self.backend = TableBackend()
        self._relay = BackendRelay()
        self._relay.begin(self.backend)
        self.recordings = Recordings(self._relay, self._start)
        self._folder = folder

    def _start(self, recorder: Recorder, stop: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=recorder.run, args=(stop,))
        thread.start()
        return thread

    def begin(self, origin: int = 0, stop_below_mb: int = 0) -> None:
        settings = RecordingConfig(warn_below_mb=0, stop_below_mb=stop_below_mb)

        def make_recorder(backend: Backend) -> Recorder:
            labels = backend.card.labels
            return Recorder(self._folder, labels, {}, datetime.now(UTC), Origin(origin, origin / 10), settings)

        self.recordings.begin(make_recorder)

    def take(self, index: int) -> None:
        frame = Frame(coded_picture(index), index, index / 10)
        self.recordings.take(frame, Result(index, index / 10, index / 10, (), {}), self.backend)

    def indices(self) -> list[list[int]]:
        """Frames in the rows of each recording, once all are closed."""
        wait_until(self.recordings.may_begin)
        return [pd.read_csv(path).frame_index.tolist() for path in sorted(self._folder.glob("*/frames.csv"))]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[_Rig]:
    rig = _Rig(tmp_path)
    yield rig
    rig.recordings.end(0)
    rig.recordings.expect_no_more_results()
    if rig.recordings.writer is not None:
        rig.recordings.writer.join()


def test_result_belongs_to_the_recording_that_was_on_when_it_was_captured(rig: _Rig) -> None:
    rig.take(4)
    rig.begin(origin=4)
    rig.take(5)
    rig.recordings.end(captured=8)
    for index in (6, 7, 8):
        rig.take(index)
    assert rig.indices() == [[0, 1, 2, 3]]


def test_it_ends_without_results_that_will_never_come(rig: _Rig) -> None:
    rig.begin()
    rig.take(0)
    rig.recordings.end(captured=3)
    rig.recordings.expect_no_more_results()
    assert rig.indices() == [[0, 1]]


def test_marker_goes_to_the_recording_that_is_on_or_to_none(rig: _Rig, tmp_path: Path) -> None:
    for name in ("before", "now", "after"):
        if name == "now":
            rig.begin()
            rig.take(0)
        rig.recordings.offer(Marker(0.0, name, "key", 0))
        if name == "now":
            rig.recordings.end(captured=1)
    rig.indices()
    (path,) = tmp_path.glob("*/markers.csv")
    assert pd.read_csv(path).name.tolist() == ["now"]


def test_none_begins_while_frames_of_one_that_failed_are_in_analysis(rig: _Rig) -> None:
    """Its end would be that of the next."""
    rig.begin(stop_below_mb=1_000_000)
    assert rig.recordings.writer is not None
    rig.recordings.writer.join()
    rig.take(0)
    rig.recordings.end(captured=3)
    assert not rig.recordings.may_begin()
    rig.take(2)
    assert rig.recordings.may_begin()
