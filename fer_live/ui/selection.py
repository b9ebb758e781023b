"""Which face the panels show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_live.core.structs import Track

_MUCH_LARGER = 1.5
"""Ratio of areas: without it, two faces of one size would take turns."""


class Selection:
    """The largest face, until the user chooses one; the choice follows its id while it is there."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing is selected."""
        self.face_id: int | None = None
        self._is_chosen = False
        self._ids: list[int] = []

    def choose(self, face_id: int) -> None:
        """The user chose a face."""
        self.face_id, self._is_chosen = face_id, True

    def step(self, by: int) -> None:
        """Chooses the next (1) or previous (-1) face by id."""
        if self._ids:
            here = self._ids.index(self.face_id) if self.face_id in self._ids else -max(0, by)
            self.choose(self._ids[(here + by) % len(self._ids)])

    def follow(self, tracks: Sequence[Track]) -> Track | None:
        """The selected face among those of the newest frame, or None if it is not there."""
        self._ids = sorted(track.face_id for track in tracks)
        current = next((track for track in tracks if track.face_id == self.face_id), None)
        largest = max(tracks, key=_area, default=None)
        if largest is None:
            return None
        if current is not None and (self._is_chosen or _area(largest) < _MUCH_LARGER * _area(current)):
            return current
        self.face_id, self._is_chosen = largest.face_id, False
        return largest


def _area(track: Track) -> float:
    return float(np.prod(track.box[2:] - track.box[:2]))
