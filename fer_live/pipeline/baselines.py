"""The neutral baselines of a live session's faces, and the taking of one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_live.core.baseline import LOOK_S, Baseline, baseline_offset
from fer_live.core.structs import Result

_GRACE_S = 0.5
"""How long after the look its last frames may still be in analysis."""


class Taking(NamedTuple):
    """A baseline that is being taken, and how long the face must still look neutral, s."""

    face_id: int
    left_s: float


@dataclass(frozen=True)
class _Look:
    face_id: int
    started_at: float
    neutral_logits: tuple[float, ...]
    frames: list[NDArray[np.float32]] = field(default_factory=list)


class Baselines:
    """Taken, cancelled and removed on one thread; `see` and `offset_of` are called on that of analysis.

    A baseline counts for frames captured after it was taken, so which rows have it does not depend on delays.
    clock: that of Frame.captured_at.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._look: _Look | None = None
        self._baselines: tuple[Baseline, ...] = ()

    def offset_of(self, face_id: int, captured_at: float) -> tuple[float, ...] | None:
        """The offset that counts for a face in a frame, or None."""
        for baseline in reversed(self._baselines):
            if baseline.face_id == face_id and baseline.at <= captured_at:
                return baseline.offset
        return None

    def has(self, face_id: int | None) -> bool:
        """True if this face has a baseline now."""
        return face_id is not None and self.offset_of(face_id, self._clock()) is not None

    def begin(self, face_id: int, neutral_logits: tuple[float, ...]) -> None:
        """The face looks neutral from now on; one that is being taken is given up. See `baseline_offset`."""
        self._look = _Look(face_id, self._clock(), neutral_logits)

    def cancel(self) -> None:
        """Gives up the one that is being taken; does nothing if there is none."""
        self._look = None

    def see(self, result: Result) -> None:
        """Takes in a frame of the look, if its quality is good."""
        look = self._look
        if look is None or not 0 <= result.captured_at - look.started_at <= LOOK_S:
            return
        look.frames.extend(
            track.probabilities for track in result.tracks if track.face_id == look.face_id and not track.reason
        )

    def taking(self) -> Taking | None:
        """What is being taken now, or None."""
        look = self._look
        if look is None:
            return None
        return Taking(look.face_id, max(0.0, look.started_at + LOOK_S - self._clock()))

    def finish(self) -> Baseline | None:
        """The baseline once its look is over, None until then; raises BaselineError if too little was seen."""
        look = self._look
        if look is None or self._clock() < look.started_at + LOOK_S + _GRACE_S:
            return None
        self._look = None
        return self._add(look.face_id, baseline_offset(look.frames, look.neutral_logits))

    def remove(self, face_id: int) -> None:
        """The face has no baseline from now on."""
        if self.has(face_id):
            self._add(face_id, None)

    def _add(self, face_id: int, offset: tuple[float, ...] | None) -> Baseline:
        baseline = Baseline(face_id, self._clock(), offset)
        self._baselines = (*self._baselines, baseline)
        return baseline

    def facts(self, origin_s: float) -> dict[str, list[dict[str, Any]]]:
        """As session.json says it: face id -> its baselines in order, by seconds since a capture time."""
        facts: dict[str, list[dict[str, Any]]] = {}
        for baseline in self._baselines:
            offset = None if baseline.offset is None else list(baseline.offset)
            facts.setdefault(str(baseline.face_id), []).append({"at": baseline.at - origin_s, "offset": offset})
        return facts
