"""The recordings of a live session: which results and markers belong to which, and when one is complete."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_live.backends.backend import Backend
from fer_live.core.structs import Frame, Marker, Result
from fer_live.pipeline.relay import BackendRelay
from fer_live.record.recorder import Fact, Gap, Recorder


class Recordings:
    """At most one at a time, begun and ended on one thread. Results come on that of analysis, markers on any.

    recorder: the recording that is going on, or None.
    """

    def __init__(
        self, backends: BackendRelay, start_writing: Callable[[Recorder, threading.Event], threading.Thread]
    ) -> None:
        """start_writing: has a recorder run on a thread, which is returned, until the event."""
        self._backends = backends
        self._start_writing = start_writing
        self._stop = threading.Event()
        # Held while something is handed to the recorder, and while that changes: what comes in is in one or in none.
        self._lock = threading.Lock()
        self._last: tuple[Frame, Result, Backend | None] | None = None
        # A recording that is to end, and how many frames had been captured by then.
        self._ending: tuple[Recorder, int] | None = None
        self._has_all_results = False
        self.recorder: Recorder | None = None
        self.writer: threading.Thread | None = None

    def may_begin(self) -> bool:
        """Whether none is going on, and the last one is closed."""
        is_writing = self.writer is not None and self.writer.is_alive()
        return self.recorder is None and self._ending is None and not is_writing

    def begin(self, make_recorder: Callable[[Backend], Recorder]) -> None:
        """Begins one, of the backend in use, which stays in use until the end."""
        # session.json names one backend, so one backend gives all rows.
        backend = self._backends.hold()
        with self._lock:
            self.recorder = make_recorder(backend)
            self._stop = threading.Event()
            self.writer = self._start_writing(self.recorder, self._stop)
            if self._last is not None and self._last[2] is backend:
                # The newest frame may have been analysed before; then nobody would hand it over.
                self.recorder.offer(self._last[1])
                self.recorder.offer_picture(*self._last[:2])

    def offer(self, item: Gap | Marker | Fact) -> None:
        """Hands something to the recording, if there is one."""
        with self._lock:
            if self.recorder is not None:
                self.recorder.offer(item)

    def take(self, frame: Frame, result: Result, backend: Backend | None) -> None:
        """Hands a result to the recording that it belongs to, if there is one."""
        with self._lock:
            self._last = frame, result, backend
            recorder = self.recorder
            if self._ending is not None and result.frame_index < self._ending[1]:
                recorder = self._ending[0]
            if recorder is not None:
                recorder.offer(result)
                recorder.offer_picture(frame, result)
            self._end_if_complete()

    def end(self, captured: int) -> Recorder | None:
        """Lets the writer finish and does not wait for it; returns the recording, or None if there was none.

        It ends once so many captured frames are analysed, or one after them is.
        """
        with self._lock:
            recorder, self.recorder = self.recorder, None
            if recorder is not None:
                recorder.finish_at(captured)
                self._ending = recorder, captured
            self._end_if_complete()
        return recorder

    def expect_no_more_results(self) -> None:
        """What is to end ends now."""
        with self._lock:
            self._has_all_results = True
            self._end_if_complete()

    def _end_if_complete(self) -> None:
        if self._ending is None:
            return
        _, captured = self._ending
        is_complete = self._last is not None and self._last[1].frame_index >= captured - 1
        if is_complete or self._has_all_results:
            self._ending = None
            self._backends.release()
            self._stop.set()
