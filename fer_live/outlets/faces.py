"""Faces as outlets tell of them, and the places that they keep."""

from __future__ import annotations

from dataclasses import dataclass

from fer_live.core.structs import Result, Track


@dataclass(frozen=True)
class SentFace:
    """One face of one frame. box: left, top, width, height in px. score: the finder's confidence.

    label: smoothed, or 'uncertain'; confidence: its smoothed probability, the largest one while uncertain.
    probabilities: smoothed, in the order of the labels. reason: why its quality is low; '' is good.
    """

    face_id: int
    box: tuple[float, float, float, float]
    score: float
    label: str
    confidence: float
    probabilities: tuple[float, ...]
    reason: str


def sent_face(track: Track, labels: tuple[str, ...]) -> SentFace:
    """A track as outlets tell of it."""
    return SentFace(
        face_id=track.face_id,
        box=track.left_top_width_height,
        score=track.score,
        label=track.shown_label(labels),
        confidence=track.confidence,
        probabilities=tuple(track.smoothed.tolist()),
        reason=track.reason,
    )


class FaceSlots:
    """A fixed number of places, counted from 1; a face keeps its place while it is followed.

    The lowest free place is given first. A face for which there is none waits until one becomes free.
    """

    def __init__(self, count: int, keep_s: float) -> None:
        """keep_s: how long a face may be missing and still come back."""
        self._keep_s = keep_s
        self._slots: list[tuple[int, float] | None] = [None] * count

    def __len__(self) -> int:
        return len(self._slots)

    def place(self, result: Result) -> list[Track | None]:
        """The faces of a frame by place; None where nobody is."""
        now = result.captured_at
        tracks = {track.face_id: track for track in result.tracks}
        for slot, held in enumerate(self._slots):
            if held is not None and held[0] in tracks:
                self._slots[slot] = (held[0], now)
            elif held is not None and now - held[1] > self._keep_s:
                self._slots[slot] = None
        placed = {held[0] for held in self._slots if held is not None}
        for face_id in sorted(tracks.keys() - placed):
            if None in self._slots:
                self._slots[self._slots.index(None)] = (face_id, now)
        return [None if held is None else tracks.get(held[0]) for held in self._slots]
