"""From one frame to its result: find, crop, infer, track."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import Backend
from fer_live.config import Config
from fer_live.core.affect import affect_axes, project
from fer_live.core.preprocess import crop_faces, to_batch
from fer_live.core.quality import judge
from fer_live.core.structs import Frame, Result, Track
from fer_live.core.tracking import OffsetOf, Tracker, no_offset
from fer_live.detect.finder import FaceFinder


class FaceAnalyser:
    """The chain for one session; used on one thread. It closes nothing: who opened finder and backend does."""

    def __init__(
        self,
        finder: FaceFinder,
        backend: Backend,
        config: Config,
        offset_of: OffsetOf = no_offset,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """offset_of: see Tracker.

        Raises ConfigError if valence and arousal are wanted of a network whose labels have none.
        """
        # Detection, network and picture share two cores with the camera and the window.
        cv2.setNumThreads(1)
        self._finder = finder
        self._backend = backend
        self._quality = config.quality
        self._axes = affect_axes(backend.card.labels) if config.affect else None
        self._tracker = Tracker(config.tracking, offset_of)
        self._clock = clock

    def change_backend(self, backend: Backend) -> None:
        """Takes another backend of the same network from the next frame on; raises ValueError for another network."""
        if (backend.card.labels, backend.card.input) != (self._backend.card.labels, self._backend.card.input):
            raise ValueError("one network cannot follow another within a session")
        self._backend = backend

    def analyse(self, frame: Frame, alone: bool = False) -> Result:
        """The result of one frame. alone: it has no past and no future, so ids are new and nothing is smoothed."""
        if alone:
            self._tracker.forget()
        marks = [time.perf_counter()]
        faces = self._finder.find(frame)
        marks.append(time.perf_counter())
        crops = crop_faces(frame.image, faces.regions, self._backend.card.input)
        marks.append(time.perf_counter())
        probabilities = self._infer(crops)
        marks.append(time.perf_counter())
        reasons = judge(faces, crops, self._quality)
        tracks = self._with_affect(self._tracker.update(faces, probabilities, frame.captured_at, reasons))
        marks.append(time.perf_counter())
        spans = (1000 * (end - start) for start, end in pairwise(marks))
        timings = dict(zip(("find", "crop", "infer", "track"), spans, strict=True))
        return Result(frame.index, frame.captured_at, self._clock(), tracks, MappingProxyType(timings))

    def _with_affect(self, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        """Not for a face that does not count: what is held may be as good as unknown."""
        axes = self._axes
        if axes is None:
            return tracks
        return tuple(
            track if track.reason else replace(track, affect=project(track.smoothed, axes)) for track in tracks
        )

    def _infer(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """All faces in one batch, or in as few as the backend takes; none means no call."""
        card, limit = self._backend.card, self._backend.max_batch
        batch = to_batch(crops, card.input)
        parts = [self._backend.infer(batch[start : start + limit]) for start in range(0, len(batch), limit)]
        return np.concatenate(parts) if parts else np.empty((0, len(card.labels)), np.float32)
