"""Faces followed from frame to frame by overlap, with stable ids through short misses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.config import TrackingConfig
from fer_live.core.baseline import shifted
from fer_live.core.geometry import iou
from fer_live.core.smoothing import first_label, smooth, steady_label
from fer_live.core.structs import Faces, Track


@dataclass(frozen=True)
class _Past:
    """A track as of the frame in which its face was last seen, and in which it last was good enough to count."""

    track: Track
    first_seen_s: float
    last_seen_s: float
    last_counted_s: float | None = None


OffsetOf = Callable[[int, float], tuple[float, ...] | None]
"""Face id, capture time in s -> offset (K,) of the face's neutral baseline, or None if it has none then."""


def no_offset(face_id: int, captured_at: float) -> None:
    """No face has a baseline."""
    return None


class Tracker:
    """Gives each face an id that it keeps while its boxes overlap and it is missing for a short time only.

    Greedy matching by overlap, best pair first (as in Bochinski et al. 2017, 'High-speed tracking-by-detection
    without using image information'); docs/decisions/0003 says why no library.
    """

    def __init__(self, config: TrackingConfig, offset_of: OffsetOf = no_offset) -> None:
        """offset_of is asked in every frame."""
        self._config = config
        self._offset_of = offset_of
        self._pasts: list[_Past] = []
        self._next_id = 1

    def update(
        self, faces: Faces, probabilities: NDArray[np.float32], time_s: float, reasons: Sequence[str] | None = None
    ) -> tuple[Track, ...]:
        """The tracks of this frame's faces, in the order of faces.

        probabilities: float32 (N, K), row for row of faces. time_s: capture time, never decreasing. reasons: what is
        wrong with each face, '' for nothing, as `quality.judge` says; None: nothing is wrong with any.
        """
        reasons = reasons or [""] * len(faces)
        deadline = time_s - self._config.max_missed_ms / 1000
        alive = [past for past in self._pasts if past.last_seen_s >= deadline]
        matches = self._match(alive, faces)
        seen = []
        for row, reason in enumerate(reasons):
            past = alive[matches[row]] if row in matches else self._start(faces, row, probabilities[row], time_s)
            seen.append(self._continue(past, faces, row, probabilities[row], time_s, reason))
        matched = set(matches.values())
        self._pasts = seen + [past for index, past in enumerate(alive) if index not in matched]
        return tuple(past.track for past in seen)

    def forget(self) -> None:
        """Ends all tracks; ids go on counting."""
        self._pasts = []

    def _match(self, pasts: list[_Past], faces: Faces) -> dict[int, int]:
        """Row of faces -> index of the past that it continues."""
        boxes, past_boxes = faces.boxes.tolist(), [past.track.box.tolist() for past in pasts]
        pairs = [
            (overlap, row, index)
            for row, box in enumerate(boxes)
            for index, past_box in enumerate(past_boxes)
            if (overlap := iou(box, past_box)) >= self._config.min_iou
        ]
        matches: dict[int, int] = {}
        for _, row, index in sorted(pairs, key=lambda pair: -pair[0]):
            if row not in matches and index not in matches.values():
                matches[row] = index
        return matches

    def _start(self, faces: Faces, row: int, probabilities: NDArray[np.float32], time_s: float) -> _Past:
        """A face of which nothing is known yet, so that each label is as probable."""
        unknown = np.full_like(probabilities, 1 / len(probabilities))
        score = float(faces.scores[row])
        track = Track(self._next_id, faces.boxes[row], score, probabilities, unknown, None, hits=0, age_s=0.0)
        self._next_id += 1
        return _Past(track, time_s, time_s)

    def _continue(
        self, past: _Past, faces: Faces, row: int, probabilities: NDArray[np.float32], time_s: float, reason: str
    ) -> _Past:
        if reason:
            smoothed, label_index, counted_s = past.track.smoothed, past.track.label_index, past.last_counted_s
        else:
            smoothed, label_index = self._count(past, probabilities, time_s)
            counted_s = time_s
        track = Track(
            past.track.face_id,
            faces.boxes[row],
            float(faces.scores[row]),
            probabilities,
            smoothed,
            label_index,
            hits=past.track.hits + 1,
            age_s=time_s - past.first_seen_s,
            reason=reason,
        )
        return _Past(track, past.first_seen_s, time_s, counted_s)

    def _count(
        self, past: _Past, probabilities: NDArray[np.float32], time_s: float
    ) -> tuple[NDArray[np.float32], int | None]:
        """Smoothed probabilities and the label after one more frame that counts."""
        track = past.track
        counted = shifted(probabilities, self._offset_of(track.face_id, time_s))
        if past.last_counted_s is None:
            return counted, first_label(counted, self._config)
        elapsed_ms = (time_s - past.last_counted_s) * 1000
        smoothed = smooth(track.smoothed, counted, elapsed_ms, self._config.smoothing_ms)
        return smoothed, steady_label(smoothed, track.label_index, self._config)
