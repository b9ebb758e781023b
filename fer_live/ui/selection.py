"""Which face the panels show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_live.core.structs import Track

_MUCH_LARGER = 1.5
"""Ratio of areas: without it, two faces of one size would take turns."""

_PATIENCE_S = 0.7
"""How long a face may be missing: the tracker's own default, after which its id never comes back."""


class Selection:
    """The largest face, until the user chooses one; the choice follows its id while it is there.

    A face that the finder misses for a moment stays selected.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nothing is selected."""
        self.face_id: int | None = None
        self._is_chosen = False
        self._ids: list[int] = []
        self._last: Track | None = None
        self._seen_at = 0.0

    def choose(self, face_id: int) -> None:
        """The user chose a face."""
        self.face_id, self._is_chosen, self._last = face_id, True, None

    def step(self, by: int) -> None:
        """Chooses the next (1) or previous (-1) face by id."""
        if self._ids:
            here = self._ids.index(self.face_id) if self.face_id in self._ids else -max(0, by)
            self.choose(self._ids[(here + by) % len(self._ids)])

    def follow(self, tracks: Sequence[Track], now: float) -> Track | None:
        """The selected face as last seen, given those of a frame and its capture time in s, or None."""
        self._ids = sorted(track.face_id for track in tracks)
        current = next((track for track in tracks if track.face_id == self.face_id), None)
        largest = max(tracks, key=_area, default=None)
        if current is None and self._last is not None and now - self._seen_at <= _PATIENCE_S:
            return self._last
        if current is None or (largest is not None and self._is_outgrown(current, largest)):
            current, self._is_chosen = largest, False
        if current is not None:
            self.face_id, self._seen_at = current.face_id, now
        self._last = current
        return current

    def _is_outgrown(self, current: Track, largest: Track) -> bool:
        return not self._is_chosen and _area(largest) >= _MUCH_LARGER * _area(current)


def _area(track: Track) -> float:
    _, _, width, height = track.left_top_width_height
    return width * height
