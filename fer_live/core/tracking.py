"""Faces followed from frame to frame by overlap, with stable ids through short misses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.config import TrackingConfig
from fer_live.core.geometry import iou
from fer_live.core.smoothing import first_label, smooth, steady_label
from fer_live.core.structs import Faces, Track


@dataclass(frozen=True)
class _Past:
    track: Track
    first_seen_s: float
    last_seen_s: float


class Tracker:
    """Gives each face an id that it keeps while its boxes overlap and it is missing for a short time only.

    Greedy matching by overlap, best pair first (as in Bochinski et al. 2017, 'High-speed tracking-by-detection
    without using image information'); docs/decisions/0003 says why no library.
    """

    def __init__(self, config: TrackingConfig) -> None:
        self._config = config
        self._pasts: list[_Past] = []
        self._next_id = 1

    def update(self, faces: Faces, probabilities: NDArray[np.float32], time_s: float) -> tuple[Track, ...]:
        """The tracks of this frame's faces, in the order of faces.

        probabilities: float32 (N, K), row for row of faces. time_s: capture time, never decreasing.
        """
        deadline = time_s - self._config.max_missed_ms / 1000
        alive = [past for past in self._pasts if past.last_seen_s >= deadline]
        matches = self._match(alive, faces)
        seen = [
            self._continue(alive[matches[row]], faces, row, probabilities[row], time_s)
            if row in matches
            else self._start(faces, row, probabilities[row], time_s)
            for row in range(len(faces))
        ]
        matched = set(matches.values())
        self._pasts = seen + [past for index, past in enumerate(alive) if index not in matched]
        return tuple(past.track for past in seen)

    def forget(self) -> None:
        """Ends all tracks; ids go on counting."""
        self._pasts = []

    def _match(self, pasts: list[_Past], faces: Faces) -> dict[int, int]:
        """Row of faces -> index of the past that it continues."""
        if not pasts or len(faces) == 0:
            return {}
        overlaps = iou(faces.boxes, np.stack([past.track.box for past in pasts]))
        matches: dict[int, int] = {}
        for flat in np.argsort(-overlaps, axis=None, kind="stable"):
            row, index = divmod(int(flat), len(pasts))
            if overlaps[row, index] < self._config.min_iou:
                break
            if row not in matches and index not in matches.values():
                matches[row] = index
        return matches

    def _continue(
        self, past: _Past, faces: Faces, row: int, probabilities: NDArray[np.float32], time_s: float
    ) -> _Past:
        before = past.track
        elapsed_ms = (time_s - past.last_seen_s) * 1000
        smoothed = smooth(before.smoothed, probabilities, elapsed_ms, self._config.smoothing_ms)
        track = Track(
            face_id=before.face_id,
            box=faces.boxes[row],
            score=float(faces.scores[row]),
            probabilities=probabilities,
            smoothed=smoothed,
            label_index=steady_label(smoothed, before.label_index, self._config),
            hits=before.hits + 1,
            age_s=time_s - past.first_seen_s,
        )
        return _Past(track, past.first_seen_s, time_s)

    def _start(self, faces: Faces, row: int, probabilities: NDArray[np.float32], time_s: float) -> _Past:
        track = Track(
            face_id=self._next_id,
            box=faces.boxes[row],
            score=float(faces.scores[row]),
            probabilities=probabilities,
            smoothed=probabilities,
            label_index=first_label(probabilities, self._config),
            hits=1,
            age_s=0.0,
        )
        self._next_id += 1
        return _Past(track, time_s, time_s)
