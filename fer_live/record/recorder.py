"""The writer stage of a live recording: a bounded queue in, rows on disk out."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fer_live.core.structs import Result
from fer_live.errors import RecordError
from fer_live.record.columns import GapReason
from fer_live.record.session import Origin, SessionWriter, State, make_session_folder

_QUEUE_SIZE = 512
_POLL_S = 0.1
SESSION_NAME = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True)
class Gap:
    """The camera has sent nothing since this capture time, in s, and why."""

    since: float
    reason: GapReason = GapReason.CAMERA_LOST


class Recorder:
    """Runs on its own thread, so that a slow disk never holds analysis.

    error: why recording ended early, or None. folder: once the session has begun. is_over: set when nothing more
    will be written; counts are there then.
    """

    def __init__(
        self,
        parent: Path,
        labels: tuple[str, ...],
        facts: Mapping[str, Any],
        start_wall: datetime,
        origin: Origin,
    ) -> None:
        self._parent = parent
        self._labels = labels
        self._facts = facts
        self._start_wall = start_wall
        self.origin = origin
        self._queue: queue.Queue[Result | Gap] = queue.Queue(_QUEUE_SIZE)
        self._frames_captured: int | None = None
        self.folder: Path | None = None
        self.counts: dict[str, int] = {}
        self.error: RecordError | None = None
        self.is_over = threading.Event()

    def offer(self, item: Result | Gap) -> None:
        """Hands over a result without waiting. One that does not fit is accounted for as dropped."""
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return

    def finish_at(self, frames_captured: int) -> None:
        """How many frames the source had captured when recording was stopped; to be called before that."""
        self._frames_captured = frames_captured

    def run(self, stop: threading.Event) -> None:
        """Writes until stopped and the queue is empty, or until the disk fails."""
        try:
            self._record(stop)
        except RecordError as error:
            self.error = error
        finally:
            self.is_over.set()

    def _record(self, stop: threading.Event) -> None:
        folder = make_session_folder(self._parent, self._start_wall.strftime(SESSION_NAME))
        self.folder = folder
        writer = SessionWriter(
            folder, folder.name, self._labels, self._facts, start_wall=self._start_wall, origin=self.origin
        )
        state = State.FAILED
        try:
            while not (stop.is_set() and self._queue.empty()):
                self._write_next(writer)
            state = State.CLOSED
        finally:
            try:
                writer.close(state, self._frames_captured)
            finally:
                self.counts = writer.counts

    def _write_next(self, writer: SessionWriter) -> None:
        try:
            item = self._queue.get(timeout=_POLL_S)
        except queue.Empty:
            writer.keep_up()
            return
        if isinstance(item, Gap):
            writer.write_gap(item.since, item.reason)
        else:
            writer.write(item)
