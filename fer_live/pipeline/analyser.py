"""From a frame to its result in three steps: look at it, classify the faces seen in it, follow them over time.

Live use takes the steps of one frame after the other (FaceAnalyser). Those of a file's frames overlap, and the faces of
several frames are classified together (files.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import Backend
from fer_live.config import Config
from fer_live.core.affect import affect_axes, project
from fer_live.core.modelcard import InputSpec
from fer_live.core.preprocess import crop_faces, to_batch
from fer_live.core.quality import judge
from fer_live.core.structs import Faces, Frame, Result, Track
from fer_live.core.tracking import OffsetOf, Tracker, no_offset
from fer_live.detect.finder import FaceFinder

FRAMES_TOGETHER = 8
"""Frames of a file whose faces go through the network together: more would hold up what comes after."""


@dataclass(frozen=True)
class Look:
    """What was seen in one frame; of its pixels only crops, uint8 (N, H, W), row for row of faces.

    find_ms, crop_ms: how long finding the faces and cutting them out took.
    """

    frame_index: int
    captured_at: float
    faces: Faces
    crops: NDArray[np.uint8]
    find_ms: float
    crop_ms: float


@dataclass(frozen=True)
class Reading:
    """A look and what the network says of its faces: probabilities float32 (N, K), row for row.

    infer_ms: of the time in the network, which may be that of faces of other frames too, its share by number of faces.
    """

    look: Look
    probabilities: NDArray[np.float32]
    infer_ms: float


def look_at(frame: Frame, finder: FaceFinder, spec: InputSpec) -> Look:
    """Finds the faces of a frame and cuts them out."""
    started = time.perf_counter()
    faces = finder.find(frame)
    found = time.perf_counter()
    crops = crop_faces(frame.image, faces.regions, spec)
    cropped = time.perf_counter()
    return Look(frame.index, frame.captured_at, faces, crops, 1000 * (found - started), 1000 * (cropped - found))


def in_batches(looks: Iterable[Look], max_faces: int) -> Iterator[list[Look]]:
    """Looks to classify together: FRAMES_TOGETHER in a row, or fewer with at most max_faces, but always one.

    Where a batch ends depends on the faces alone, never on time. An error comes after the looks before it.
    """
    batch: list[Look] = []
    faces = 0
    try:
        for look in looks:
            faces += len(look.faces)
            if batch and (len(batch) == FRAMES_TOGETHER or faces > max_faces):
                yield batch
                batch, faces = [], len(look.faces)
            batch.append(look)
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def classify(looks: Sequence[Look], backend: Backend) -> list[Reading]:
    """Reads all faces of some frames in one batch, or in as few as the backend takes; none means no call."""
    started = time.perf_counter()
    batch = to_batch(np.concatenate([look.crops for look in looks]), backend.card.input)
    limit = backend.max_batch
    parts = [backend.infer(batch[start : start + limit]) for start in range(0, len(batch), limit)]
    probabilities = np.concatenate(parts) if parts else np.empty((0, len(backend.card.labels)), np.float32)
    ms_a_face = 1000 * (time.perf_counter() - started) / max(1, len(batch))
    readings, start = [], 0
    for look in looks:
        end = start + len(look.faces)
        readings.append(Reading(look, probabilities[start:end], ms_a_face * len(look.faces)))
        start = end
    return readings


class FaceFollower:
    """Follows faces from frame to frame: who is who, what they show over time, and whether it counts."""

    def __init__(
        self,
        config: Config,
        labels: tuple[str, ...],
        offset_of: OffsetOf = no_offset,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """labels: of the network. offset_of: see Tracker.

        Raises ConfigError if valence and arousal are wanted of a network whose labels have none.
        """
        self._quality = config.quality
        self._axes = affect_axes(labels) if config.affect else None
        self._tracker = Tracker(config.tracking, offset_of)
        self._clock = clock

    def follow(self, reading: Reading, alone: bool = False) -> Result:
        """The result of the next frame. alone: it has no past and no future, so ids are new and nothing is smoothed."""
        started = time.perf_counter()
        look = reading.look
        if alone:
            self._tracker.forget()
        reasons = judge(look.faces, look.crops, self._quality)
        tracks = self._tracker.update(look.faces, reading.probabilities, look.captured_at, reasons)
        tracks = self._with_affect(tracks)
        track_ms = 1000 * (time.perf_counter() - started)
        timings = {"find": look.find_ms, "crop": look.crop_ms, "infer": reading.infer_ms, "track": track_ms}
        return Result(look.frame_index, look.captured_at, self._clock(), tracks, MappingProxyType(timings))

    def _with_affect(self, tracks: tuple[Track, ...]) -> tuple[Track, ...]:
        """Not for a face that does not count: what is held may be as good as unknown."""
        axes = self._axes
        if axes is None:
            return tracks
        return tuple(
            track if track.reason else replace(track, affect=project(track.smoothed, axes)) for track in tracks
        )


class FaceAnalyser:
    """The chain, frame by frame; used on one thread. It closes nothing: who opened finder and backend does."""

    def __init__(
        self,
        finder: FaceFinder,
        backend: Backend,
        config: Config,
        offset_of: OffsetOf = no_offset,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """offset_of, and what is raised: see FaceFollower."""
        # Detection, network and picture share two cores with the camera and the window.
        cv2.setNumThreads(1)
        self._finder = finder
        self._backend = backend
        self._follower = FaceFollower(config, backend.card.labels, offset_of, clock)

    def change_backend(self, backend: Backend) -> None:
        """Takes another backend of the same network from the next frame on; raises ValueError for another network."""
        if (backend.card.labels, backend.card.input) != (self._backend.card.labels, self._backend.card.input):
            raise ValueError("one network cannot follow another within a session")
        self._backend = backend

    def analyse(self, frame: Frame) -> Result:
        """The result of one frame."""
        look = look_at(frame, self._finder, self._backend.card.input)
        (reading,) = classify([look], self._backend)
        return self._follower.follow(reading)
