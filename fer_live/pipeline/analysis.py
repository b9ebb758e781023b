"""The analysis stage: newest frame in, newest frame with its result out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from fer_live.backends.backend import Backend
from fer_live.config import Config
from fer_live.core.structs import Frame, Result
from fer_live.core.tracking import OffsetOf, no_offset
from fer_live.detect.finder import FaceFinder
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.relay import BackendRelay
from fer_live.pipeline.slots import LatestSlot

_POLL_S = 0.2


class AnalysisStage:
    """Runs on its own thread, where it opens, uses and closes the face finder and the backend.

    backends: where another backend can be handed in while it runs.
    """

    def __init__(
        self,
        config: Config,
        open_finder: Callable[[], FaceFinder],
        open_backend: Callable[[], Backend],
        frames: LatestSlot[Frame],
        results: LatestSlot[tuple[Frame, Result]],
        on_result: Callable[[Frame, Result], None],
        clock: Callable[[], float] = time.perf_counter,
        offset_of: OffsetOf = no_offset,
    ) -> None:
        """on_result is called on this stage's thread for every result, offset_of (see Tracker) for every face.

        Neither may block.
        """
        self._config = config
        self._open_finder = open_finder
        self._open_backend = open_backend
        self._frames = frames
        self._results = results
        self._on_result = on_result
        self._clock = clock
        self._offset_of = offset_of
        self.backends = BackendRelay()
        self.is_ready = threading.Event()
        self._dropped_before: int | None = None

    @property
    def backend(self) -> Backend | None:
        """The backend in use, once it is open."""
        return self.backends.current

    @property
    def dropped(self) -> int:
        """Frames lost since the first one was analysed; those lost while the networks load are nobody's loss."""
        return 0 if self._dropped_before is None else self._frames.dropped - self._dropped_before

    def run(self, stop: threading.Event) -> None:
        """Analyses until stopped."""
        with ExitStack() as stack:
            backend = self._open_backend()
            stack.enter_context(self.backends).begin(backend)
            finder = stack.enter_context(self._open_finder())
            self.is_ready.set()
            analyser = FaceAnalyser(finder, backend, self._config, self._offset_of, self._clock)
            while not stop.is_set():
                if (successor := self.backends.change()) is not None:
                    analyser.change_backend(successor)
                frame = self._frames.take(_POLL_S)
                if frame is None:
                    continue
                result = analyser.analyse(frame)
                if self._dropped_before is None:
                    self._dropped_before = self._frames.dropped
                self._on_result(frame, result)
                self._results.put((frame, result))
