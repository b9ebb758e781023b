"""The capture stage: opens a source, hands over its newest frame, and opens it again when it is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from fer_live.capture.source import Source
from fer_live.capture.watch import PictureWatch
from fer_live.core.structs import Frame
from fer_live.errors import FerError, SourceError
from fer_live.pipeline.slots import LatestSlot

_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)


class CaptureState(StrEnum):
    """What the capture stage is doing."""

    OPENING = "opening"
    RUNNING = "running"
    LOST = "lost"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class CaptureStatus:
    """State, its reason, and when the source is tried again (monotonic s; 0 if it is not).

    mode: what the source delivers, and asked: what a camera was asked for, if that differs; for people.
    frames: captured so far.
    """

    state: CaptureState
    error: FerError | None = None
    retry_at: float = 0.0
    mode: str = ""
    asked: str = ""
    frames: int = 0


class CaptureStage:
    """Runs on its own thread. Frames are numbered through, whatever happens to the source in between."""

    def __init__(
        self,
        open_source: Callable[[], Source],
        slot: LatestSlot[Frame],
        is_device: bool,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """is_device: a camera or stream, which may be lost and come back, and must show a living picture."""
        self._open_source = open_source
        self._slot = slot
        self._is_device = is_device
        self._clock = clock
        self.status = CaptureStatus(CaptureState.OPENING)
        self.newest: Frame | None = None

    def run(self, stop: threading.Event) -> None:
        """Captures until stopped, or until a file ends. A first failure ends it; a later loss is retried."""
        losses = 0
        while not stop.is_set():
            before = self.status.frames
            try:
                self._capture(stop)
                return
            except SourceError as error:
                if not self._is_device or self.status.frames == 0:
                    self.status = replace(self.status, state=CaptureState.FAILED, error=error)
                    return
                losses = 1 if self.status.frames > before else losses + 1
                wait_s = _BACKOFF_S[min(losses, len(_BACKOFF_S)) - 1]
                retry_at = self._clock() + wait_s
                self.status = replace(self.status, state=CaptureState.LOST, error=error, retry_at=retry_at)
                stop.wait(wait_s)

    def _capture(self, stop: threading.Event) -> None:
        watch = PictureWatch() if self._is_device else None
        with self._open_source() as source:
            mode, asked = _modes(source)
            while not stop.is_set():
                frame = source.read()
                if frame is None:
                    self.status = replace(self.status, state=CaptureState.ENDED, error=None)
                    return
                if watch is not None:
                    watch.check(frame)
                # Once lost, only a living picture is back: a frozen one would come and go with every try.
                if watch is None or watch.is_alive or self.status.state is not CaptureState.LOST:
                    self._hand_over(frame, mode or f"{frame.image.shape[1]}x{frame.image.shape[0]}", asked)

    def _hand_over(self, frame: Frame, mode: str, asked: str) -> None:
        numbered = replace(frame, index=self.status.frames)
        self.newest = numbered
        self.status = CaptureStatus(CaptureState.RUNNING, mode=mode, asked=asked, frames=numbered.index + 1)
        self._slot.put(numbered)


def _modes(source: Source) -> tuple[str, str]:
    """What a camera delivers, and what it was asked for if that differs; '' where there is nothing to say."""
    mode, asked = getattr(source, "mode", None), getattr(source, "asked", None)
    if mode is None:
        return "", ""
    return str(mode), "" if asked is None or mode.meets(asked) else str(asked)
