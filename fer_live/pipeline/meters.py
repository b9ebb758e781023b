"""Rates and ages over the last seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_WINDOW_S = 3.0


@dataclass(frozen=True)
class Reading:
    """rate_hz: events a second. age_p50_ms, age_p95_ms: ages in ms, 0 while there are none."""

    rate_hz: float
    age_p50_ms: float
    age_p95_ms: float


class Meter:
    """Counts finished frames and their ages; used on one thread."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, float]] = deque()

    def add(self, finished_at: float, age_ms: float) -> None:
        """One frame, finished at a time in s, that old in ms."""
        self._events.append((finished_at, age_ms))
        self._forget(finished_at)

    def read(self, now: float) -> Reading:
        """What the last seconds before now came to."""
        # The window has a meter before it has a frame, and does not wait for numpy.
        import numpy as np

        self._forget(now)
        if len(self._events) < 2:
            return Reading(0.0, 0.0, 0.0)
        span = max(now - self._events[0][0], 1e-9)
        p50, p95 = np.percentile([age for _, age in self._events], (50, 95))
        return Reading((len(self._events) - 1) / span, float(p50), float(p95))

    def _forget(self, now: float) -> None:
        while self._events and self._events[0][0] < now - _WINDOW_S:
            self._events.popleft()
