"""The writer stage of a live recording: a queue in, bounded for results, and rows on disk out."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fer_live.config import RecordingConfig
from fer_live.core.structs import Frame, Marker, Result
from fer_live.errors import RecordError
from fer_live.record.cameravideo import VIDEO_MP4, CameraVideo
from fer_live.record.clocks import SleepWatch
from fer_live.record.columns import GapReason
from fer_live.record.disk import DiskWatch
from fer_live.record.session import Origin, SessionWriter, State, make_session_folder

_MOST_RESULTS = 512
_POLL_S = 0.1
SESSION_NAME = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True)
class Gap:
    """The camera has sent nothing since this capture time, in s, and why."""

    since: float
    reason: GapReason = GapReason.CAMERA_LOST


@dataclass(frozen=True)
class Fact:
    """What session.json says under a name from now on; value as JSON can hold it."""

    name: str
    value: Any


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
        settings: RecordingConfig,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """clock: that of Frame.captured_at."""
        self._parent = parent
        self._labels = labels
        self._facts = facts
        self._start_wall = start_wall
        self.origin = origin
        self._clock = clock
        self._queue: queue.SimpleQueue[Result | Gap | Marker | Fact] = queue.SimpleQueue()
        self._room = threading.Semaphore(_MOST_RESULTS)
        self._disk = DiskWatch(settings)
        self._video = CameraVideo(origin, settings.blur_faces) if settings.video else None
        self._frames_captured: int | None = None
        self.folder: Path | None = None
        self.counts: dict[str, int] = {}
        self.error: RecordError | None = None
        self.is_over = threading.Event()

    @property
    def warnings(self) -> tuple[RecordError, ...]:
        """What the user should know although recording goes on: there is no picture, the disk gets full."""
        found = (None if self._video is None else self._video.error, self._disk.warning)
        return tuple(warning for warning in found if warning is not None)

    def offer(self, item: Result | Gap | Marker | Fact) -> None:
        """Hands something over without waiting. A result that does not fit is accounted for as dropped.

        All else fits, since it comes seldom and nothing would tell that it is missing.
        """
        if not isinstance(item, Result) or self._room.acquire(blocking=False):
            self._queue.put(item)

    def offer_picture(self, frame: Frame, result: Result) -> None:
        """Hands a frame and its own result over for the video, if there is one; without waiting, or it is dropped."""
        if self._video is not None:
            self._video.offer(frame, result)

    def finish_at(self, frames_captured: int) -> None:
        """How many frames the source had captured when recording was stopped; to be called before that."""
        self._frames_captured = frames_captured

    def run(self, stop: threading.Event) -> None:
        """Writes until stopped and the queue is empty, or until the disk fails or gets full."""
        try:
            self._record(stop)
        except RecordError as error:
            self.error = error
        finally:
            self.is_over.set()

    def _record(self, stop: threading.Event) -> None:
        if self._video is not None:
            self._video.check()
        folder = make_session_folder(self._parent, self._start_wall.strftime(SESSION_NAME))
        self.error = self._disk.look(folder)
        if self.error is not None:
            with suppress(OSError):
                folder.rmdir()
            return
        self.folder = folder
        writer = SessionWriter(
            folder, folder.name, self._labels, self._facts, start_wall=self._start_wall, origin=self.origin
        )
        state = State.FAILED
        try:
            with self._filming(folder):
                self._write(writer, stop)
            if self._video is not None:
                writer.note("video", self._video.facts())
            state = State.CLOSED
        finally:
            try:
                writer.close(state, self._frames_captured)
            finally:
                self.counts = writer.counts

    @contextmanager
    def _filming(self, folder: Path) -> Iterator[None]:
        """The video's thread, if one is wanted, within that of the rows."""
        if self._video is None:
            yield
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._video.run, args=(folder / VIDEO_MP4, stop), name="video", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _write(self, writer: SessionWriter, stop: threading.Event) -> None:
        sleep = SleepWatch()
        while self.error is None and not (stop.is_set() and self._queue.empty()):
            item = self._next()
            if sleep.has_slept():
                writer.resume(self._clock(), datetime.now().astimezone())
            if isinstance(item, Result):
                writer.write(item)
            elif isinstance(item, Gap):
                writer.write_gap(item.since, item.reason)
            elif isinstance(item, Marker):
                writer.write_marker(item)
            elif isinstance(item, Fact):
                writer.note(item.name, item.value)
            writer.keep_up()
            self.error = self._disk.look(writer.folder)

    def _next(self) -> Result | Gap | Marker | Fact | None:
        try:
            item = self._queue.get(timeout=_POLL_S)
        except queue.Empty:
            return None
        if isinstance(item, Result):
            self._room.release()
        return item
