"""A live session: capture, analysis and, while recording, a writer, each on its own thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from fer_live.backends.backend import Backend
from fer_live.capture.opening import LiveSource
from fer_live.capture.paced import PacedSource
from fer_live.capture.source import Source
from fer_live.capture.watch import PATIENCE_S
from fer_live.config import Config, RecordingConfig
from fer_live.core.baseline import Baseline
from fer_live.core.structs import Frame, Marker, MarkerOrigin, Result
from fer_live.detect.finder import FaceFinder
from fer_live.errors import BaselineError, FerError
from fer_live.outlets.outlet import Outlet
from fer_live.pipeline.analysis import AnalysisStage
from fer_live.pipeline.baselines import Baselines
from fer_live.pipeline.capture import CaptureStage, CaptureState
from fer_live.pipeline.facts import setup_facts
from fer_live.pipeline.recordings import Recordings
from fer_live.pipeline.relay import BackendOpening
from fer_live.pipeline.slots import LatestSlot
from fer_live.pipeline.status import STOP_TIMEOUT_S, LiveState, LiveStatus
from fer_live.record.columns import GapReason
from fer_live.record.notes import NO_NOTES, Notes
from fer_live.record.recorder import Fact, Gap, Recorder
from fer_live.record.session import Origin

log = logging.getLogger(__name__)

_POLL_S = 0.1


class _Stage(Protocol):
    def run(self, stop: threading.Event) -> None: ...


class LiveSession:
    """Started, asked and stopped on one thread, which is never blocked for longer than stop's bound.

    results holds the newest frame with its result; slots.LatestSlot.notify tells when it fills.
    markers: all since the start, in the order in which they came; only ever appended to.
    baselines: to be asked; taken, finished and removed by the methods here, so that recordings have them.
    config: the settings that it was started with, not to be changed.
    is_screen_locked: to be told by who can know; a camera that is lost meanwhile is lost for that reason.
    """

    def __init__(
        self,
        config: Config,
        source: LiveSource,
        open_finder: Callable[[], FaceFinder],
        open_backend: Callable[[], Backend],
        clock: Callable[[], float] = time.perf_counter,
        outlets: Sequence[Outlet] = (),
    ) -> None:
        """outlets: run with the session, get its results and markers, and may mark (mark)."""
        self.config = config
        self._source = source
        self._open_backend = open_backend
        self._clock = clock
        self._outlets = outlets
        self._stop = threading.Event()
        self._stop_by = 0.0
        self._frames_wanted: int | None = None
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None
        self._noted_loss = False
        self.is_screen_locked = False
        self._marking = threading.Lock()
        self._newest_analysed: int | None = None
        self.markers: list[Marker] = []
        self.baselines = Baselines(clock)
        self.results: LatestSlot[tuple[Frame, Result]] = LatestSlot()
        self._frames: LatestSlot[Frame] = LatestSlot()
        self._capture = CaptureStage(self._open_source, self._frames, source.is_device, clock)
        self._analysis = AnalysisStage(
            config,
            open_finder,
            open_backend,
            self._frames,
            self.results,
            self._on_result,
            clock,
            self.baselines.offset_of,
        )
        self._recordings = Recordings(
            self._analysis.backends, lambda recorder, stop: self._spawn(recorder, "writer", stop)
        )

    @property
    def recorder(self) -> Recorder | None:
        """The recording that is going on, or None."""
        return self._recordings.recorder

    @property
    def name(self) -> str:
        """The source's name, without passwords."""
        return self._source.name

    @property
    def backend(self) -> Backend | None:
        """The backend in use, once it is open; for its name, device and card only."""
        return self._analysis.backend

    def start(self) -> None:
        """Starts all threads and returns at once."""
        for stage, name in ((self._capture, "capture"), (self._analysis, "analysis")):
            self._threads.append(self._spawn(stage, name, self._stop))
        for outlet in self._outlets:
            outlet.on_marker = self.mark
            self._threads.append(self._spawn(outlet, outlet.name, self._stop))

    def _open_source(self) -> Source:
        """A file begins once its frames can be analysed, or its first seconds would be lost."""
        source = self._source.open()
        if isinstance(source, PacedSource):
            # Screen recordings have frames minutes apart.
            source.wait_by(self._stop.wait)
        while not self._source.is_device and not self._stop.is_set() and not self._analysis.is_ready.wait(_POLL_S):
            continue
        return source

    def _spawn(self, stage: _Stage, name: str, stop: threading.Event) -> threading.Thread:
        thread = threading.Thread(target=self._guard, args=(stage, name, stop), name=name, daemon=True)
        thread.start()
        return thread

    def _guard(self, stage: _Stage, name: str, stop: threading.Event) -> None:
        try:
            stage.run(stop)
        except FerError as error:
            self._failure = error
        except Exception as error:  # a stage's boundary: the cause must reach the window, not end the process
            log.exception("the %s stage failed", name)
            self._failure = error
        finally:
            if stage is self._analysis:
                self._recordings.expect_no_more_results()

    def status(self) -> LiveStatus:
        """What is going on now. While recording, the first look at a lost camera is written as a gap."""
        capture = self._capture.status
        state, error = self._judge()
        newest = self._capture.newest
        if state is not LiveState.STALLED:
            self._noted_loss = False
        elif not self._noted_loss and self.recorder is not None and newest is not None:
            reason = GapReason.SCREEN_LOCKED if self.is_screen_locked else GapReason.CAMERA_LOST
            self._recordings.offer(Gap(newest.captured_at, reason))
            self._noted_loss = True
        retry_in_s = max(0.0, capture.retry_at - self._clock()) if capture.retry_at else 0.0
        outlets = tuple(outlet.status() for outlet in self._outlets)
        return LiveStatus(
            state, error, retry_in_s, capture.mode, capture.asked, capture.frames, self._analysis.dropped, outlets
        )

    def _judge(self) -> tuple[LiveState, Exception | None]:
        capture = self._capture.status
        if self._stop.is_set():
            return LiveState.STOPPED, None
        if self._failure is not None:
            return LiveState.FAILED, self._failure
        if capture.state is CaptureState.FAILED:
            return LiveState.FAILED, capture.error
        if capture.state is CaptureState.LOST:
            return LiveState.STALLED, capture.error
        newest, analysed = self._capture.newest, self._newest_analysed
        is_all_analysed = newest is None or analysed == newest.index
        if capture.state is CaptureState.ENDED and is_all_analysed:
            return LiveState.ENDED, None
        if newest is None or analysed is None:
            return LiveState.STARTING, None
        is_silent = self._clock() - newest.captured_at > PATIENCE_S
        return (LiveState.STALLED if self._source.is_device and is_silent else LiveState.RUNNING), None

    def _is_camera_lost(self) -> bool:
        return self._judge()[0] is LiveState.STALLED

    def start_recording(self, parent: Path, notes: Notes = NO_NOTES, settings: RecordingConfig | None = None) -> None:
        """Begins to record into a new folder below parent; the newest captured frame becomes number 0.

        While the camera is lost that is the next one, and time begins now.
        settings: instead of those that the session was started with.
        Does nothing before the first frame and the backend are there, or until the last recording is closed.
        Failures to write appear in recorder.error.
        """
        if self.backend is not None and self._capture.newest is not None and self._recordings.may_begin():
            self._noted_loss = False
            settings = settings or self.config.recording
            self._recordings.begin(lambda backend: self._recorder_into(parent, notes, settings, backend))

    def _recorder_into(self, parent: Path, notes: Notes, settings: RecordingConfig, backend: Backend) -> Recorder:
        newest = self._capture.newest
        assert newest is not None
        origin = Origin(newest.index, newest.captured_at)
        if self._is_camera_lost():
            origin = Origin(newest.index + 1, self._clock())
        facts = {
            "kind": "record",
            "source": {"name": self._source.name, "mode": self._capture.status.mode},
            **notes.facts(),
            "baselines": self.baselines.facts(origin.captured_at),
            **setup_facts(self.config.model_copy(update={"recording": settings}), backend),
        }
        start_wall = datetime.now().astimezone() - timedelta(seconds=self._clock() - origin.captured_at)
        return Recorder(parent, backend.card.labels, facts, start_wall, origin, settings, self._clock)

    def switch_backend(self) -> BackendOpening:
        """Opens the backend anew, as at the start, and changes over between two frames once it is there.

        Until then, and while a recording is going on, the one in use stays in use.
        """
        opening = BackendOpening(self._open_backend, self._analysis.backends)
        self._threads.append(self._spawn(opening, "backend", self._stop))
        return opening

    def mark(self, name: str, origin: MarkerOrigin) -> Marker | None:
        """Marks the newest captured frame, in the recording if there is one and in the outlets; from any thread.

        While the camera is lost, it is this moment. Returns the marker, or None before the first frame.
        """
        with self._marking:
            newest = self._capture.newest
            if newest is None:
                return None
            at = self._clock() if self._is_camera_lost() else newest.captured_at
            marker = Marker(at, name, origin, newest.index)
            self.markers.append(marker)
            self._recordings.offer(marker)
        for outlet in self._outlets:
            outlet.send_marker(marker)
        return marker

    def take_baseline(self, face_id: int) -> None:
        """Begins to take the neutral baseline of a face; see Baselines.

        Raises BaselineError if the network's card has no neutral_logits.
        """
        card = None if self.backend is None else self.backend.card
        if card is None or card.neutral_logits is None:
            raise BaselineError(
                "No neutral baseline: the network's model card does not say what it makes of neutral faces.",
                "Choose a shipped network in the settings.",
            )
        self.baselines.begin(face_id, card.neutral_logits)

    def finish_baseline(self) -> Baseline | None:
        """See Baselines.finish; to be called several times a second while one is taken."""
        baseline = self.baselines.finish()
        if baseline is not None:
            self._note_baselines()
        return baseline

    def remove_baseline(self, face_id: int) -> None:
        """See Baselines.remove."""
        self.baselines.remove(face_id)
        self._note_baselines()

    def _note_baselines(self) -> None:
        if self.recorder is not None:
            self._recordings.offer(Fact("baselines", self.baselines.facts(self.recorder.origin.captured_at)))

    def end_recording(self) -> Recorder | None:
        """Lets the writer finish and does not wait for it; returns the recording, or None if there was none.

        It ends once the frames captured until now are analysed, or one after them is.
        """
        return self._recordings.end(self._capture.status.frames if self._frames_wanted is None else self._frames_wanted)

    def request_stop(self) -> None:
        """Asks capture and analysis to end, without waiting."""
        if not self._stop.is_set():
            self._stop_by = time.monotonic() + STOP_TIMEOUT_S
            # The camera will give one more, for which it is being waited; nobody wants that analysed.
            self._frames_wanted = self._capture.status.frames
        self._stop.set()
        self._frames.close()
        self.results.close()

    def is_alive(self) -> bool:
        """True while a thread of this session has not ended."""
        return bool(self._living())

    def stop(self) -> list[str]:
        """Stops everything, the recording last; returns the names of threads that did not end in time.

        All but the recording together get STOP_TIMEOUT_S since the first request, and then the disk as long again.
        Calling it again does nothing more.
        """
        self.request_stop()
        for thread in self._threads:
            thread.join(max(0.0, self._stop_by - time.monotonic()))
        self._recordings.expect_no_more_results()
        self.end_recording()
        if self._recordings.writer is not None:
            self._recordings.writer.join(STOP_TIMEOUT_S)
        late = self._living()
        if late:
            log.error("these threads did not end in time: %s", ", ".join(late))
        return late

    def _living(self) -> list[str]:
        threads = (*self._threads, self._recordings.writer)
        return [thread.name for thread in threads if thread is not None and thread.is_alive()]

    def _on_result(self, frame: Frame, result: Result) -> None:
        backend = self.backend
        if backend is not None:
            for outlet in self._outlets:
                outlet.send(result, backend.card.labels)
        self.baselines.see(result)
        self._recordings.take(frame, result, backend)
        self._newest_analysed = result.frame_index
