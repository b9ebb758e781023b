"""The live session as the window sees it: started, watched and stopped without ever blocking the GUI thread."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fer_live.config import Config, RecordingConfig
from fer_live.errors import FerError
from fer_live.pipeline.status import STOP_TIMEOUT_S, LiveState, LiveStatus
from fer_live.record.notes import Notes
from fer_live.ui.bridge import SlotBridge
from fer_live.ui.screenlock import watch_screen

if TYPE_CHECKING:
    from fer_live.core.structs import MarkerOrigin
    from fer_live.pipeline.live import LiveSession
    from fer_live.record.recorder import Recorder

_POLL_MS = 100


class LiveController(QObject):
    """Owns at most one LiveSession. All of it happens on the GUI thread.

    status_changed(LiveStatus | None): several times a second; None when nothing runs any more.
    analysed(Frame, Result): the newest frame with its result.
    recording_changed(): a recording began or was asked to end; see recorder.
    marked(Marker): a marker was made, here or by another program.
    outlet_failed(FerError): a live outlet of the session has failed, each time it fails in another way.
    recorded(Recorder): a recording is over; its error says whether it ended well.
    """

    status_changed = pyqtSignal(object)
    analysed = pyqtSignal(object, object)
    recording_changed = pyqtSignal()
    marked = pyqtSignal(object)
    outlet_failed = pyqtSignal(object)
    recorded = pyqtSignal(object)
    _answered = pyqtSignal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session: LiveSession | None = None
        self._closing: list[Recorder] = []
        self._bridge: SlotBridge | None = None
        self._stop_asked_at: float | None = None
        self._markers_told = 0
        self._errors_told: set[FerError] = set()
        self._screen = watch_screen(self)
        if self._screen is not None:
            self._screen.changed.connect(self._note_lock)
        self._config = Config()
        self._source = ""
        self._request = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._answered.connect(self._begin)

    @property
    def recorder(self) -> Recorder | None:
        """The recording that is going on, or None."""
        return None if self.session is None else self.session.recorder

    def start(self, source: str, config: Config) -> None:
        """Starts on a source as the user named it; asks the system for the camera first where it wants that.

        Does nothing while a session is there; started again before the system has answered, the newest counts.
        A refusal or a wrong name arrives as a failed status.
        """
        from fer_live.capture.permission import request_camera

        if self.session is None:
            self._source, self._config = source, config
            self._request += 1
            request_camera(source, partial(self._answered.emit, self._request))

    def _begin(self, request: int, refusal: FerError | None) -> None:
        from fer_live.pipeline.headless import live_session

        if request != self._request:
            return
        if refusal is not None:
            self.status_changed.emit(LiveStatus(LiveState.FAILED, refusal))
            return
        try:
            session = live_session(self._source, self._config)
        except FerError as error:
            self.status_changed.emit(LiveStatus(LiveState.FAILED, error))
            return
        self._bridge = SlotBridge(session.results, self)
        self._bridge.filled.connect(self._take)
        self.session = session
        self._markers_told = 0
        self._errors_told.clear()
        self._note_lock(self._screen is not None and self._screen.is_locked)
        session.start()
        self._timer.start()
        self.status_changed.emit(session.status())

    def _note_lock(self, is_locked: bool) -> None:
        if self.session is not None:
            self.session.is_screen_locked = is_locked

    def stop(self) -> None:
        """Asks all threads to end; status_changed(None) follows."""
        if self.session is not None and self._stop_asked_at is None:
            self._end_recording()
            self.session.request_stop()
            self._stop_asked_at = time.monotonic()

    def shut_down(self) -> None:
        """Stops and waits, within the session's bound: for when the window closes."""
        self._request += 1
        if self.session is not None:
            self._end_recording()
            self._finish()

    def toggle_recording(self, parent: Path, notes: Notes, settings: RecordingConfig) -> None:
        """Begins or ends a recording below a folder; does nothing before the first frame."""
        if self.session is None:
            return
        if self.session.recorder is not None:
            self._end_recording()
        else:
            self.session.start_recording(parent, notes, settings)
            self.recording_changed.emit()

    def mark(self, name: str, origin: MarkerOrigin) -> None:
        """Marks the newest captured frame; does nothing before the first."""
        if self.session is not None:
            self.session.mark(name, origin)
            self._tell_markers(self.session)

    def _tell_markers(self, session: LiveSession) -> None:
        news = session.markers[self._markers_told :]
        self._markers_told += len(news)
        for marker in news:
            self.marked.emit(marker)

    def _end_recording(self) -> None:
        """The writer finishes in its own time; a slow disk does not hold the window."""
        if self.session is not None and self.session.recorder is not None:
            recorder = self.session.end_recording()
            if recorder is not None:
                self._closing.append(recorder)
            self.recording_changed.emit()

    def _tell_recorded(self) -> None:
        over = [recorder for recorder in self._closing if recorder.is_over.is_set()]
        self._closing = [recorder for recorder in self._closing if recorder not in over]
        for recorder in over:
            self.recorded.emit(recorder)

    def _take(self) -> None:
        taken = None if self.session is None else self.session.results.take()
        if taken is not None:
            self.analysed.emit(*taken)

    def _poll(self) -> None:
        session = self.session
        if session is not None and session.recorder is not None and session.recorder.is_over.is_set():
            self._end_recording()
        self._tell_recorded()
        if session is None:
            self._rest()
            return
        self._tell_markers(session)
        if self._stop_asked_at is None:
            status = session.status()
            self.status_changed.emit(status)
            self._tell_failed_outlets(status)
        elif not session.is_alive() or time.monotonic() - self._stop_asked_at > STOP_TIMEOUT_S:
            self._finish()
            self.status_changed.emit(None)

    def _tell_failed_outlets(self, status: LiveStatus) -> None:
        for error in status.outlet_errors:
            if error not in self._errors_told:
                self._errors_told.add(error)
                self.outlet_failed.emit(error)

    def _finish(self) -> None:
        """Waits for what is left of the session's bound, and forgets the session."""
        assert self.session is not None
        assert self._bridge is not None
        if not self.session.stop():
            # No thread is left that might use it.
            self._bridge.deleteLater()
        self._tell_recorded()
        self.session = self._bridge = self._stop_asked_at = None
        self._rest()

    def _rest(self) -> None:
        """Looks no more, unless a slow disk still has a recording to finish."""
        if not self._closing:
            self._timer.stop()
