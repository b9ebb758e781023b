"""A file or the demo as if it were a camera: at its own pace, on the monotonic clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from fer_live.capture.source import Source
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame


class PacedSource(Closing):
    """Gives each frame of a source when its time has come; with reopen, starts over at the end."""

    def __init__(
        self,
        source: Source,
        reopen: Callable[[], Source] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._source = source
        self._reopen = reopen
        self._clock = clock
        self._sleep = sleep
        self._start: float | None = None
        self._index = 0
        self.name, self.files = source.name, source.files
        self.is_stills = source.is_stills
        self.size = source.size if reopen is None else None

    def wait_by(self, sleep: Callable[[float], object]) -> None:
        """Has it wait this way, in s, such as one that ends early when nobody wants frames any more."""
        self._sleep = sleep

    @property
    def identity(self) -> str:
        """See Source.identity."""
        return self._source.identity

    def read(self) -> Frame | None:
        """See Source.read; waits until the frame is due. captured_at is then, on the monotonic clock."""
        frame = self._source.read()
        if frame is None and self._reopen is not None:
            self._source.close()
            self._source = self._reopen()
            self._start = None
            frame = self._source.read()
        if frame is None:
            return None
        if self._start is None:
            self._start = self._clock() - frame.captured_at
        wait_s = self._start + frame.captured_at - self._clock()
        if wait_s > 0:
            self._sleep(wait_s)
        frame = replace(frame, index=self._index, captured_at=self._clock())
        self._index += 1
        return frame

    def close(self) -> None:
        """See Source.close."""
        self._source.close()
