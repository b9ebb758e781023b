"""Session time beside wall-clock time, and whether the computer slept."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

_LEAST_SLEEP_S = 1.0
"""Longer than two clocks can drift apart, or be read apart, between two looks."""


@dataclass(frozen=True)
class ClockPair:
    """The same moment on both clocks: seconds since the start of the session, and wall-clock time."""

    time_s: float
    wall: datetime


class WallClock:
    """Wall-clock times of a session, reckoned from the newest pair of readings; they never go back.

    Not from the wall clock itself, which people and time servers change in either direction.
    """

    def __init__(self, start: datetime) -> None:
        """start: wall-clock time of session time 0, with its UTC offset."""
        self.pairs = [ClockPair(0.0, start)]
        self._least = start

    def add(self, pair: ClockPair) -> None:
        """Reckons from this pair on."""
        self._least = self.at(pair.time_s)
        self.pairs.append(pair)

    def at(self, time_s: float) -> datetime:
        """The wall-clock time of a session time, in s."""
        newest = self.pairs[-1]
        return max(self._least, newest.wall + timedelta(seconds=time_s - newest.time_s))

    def facts(self) -> list[dict[str, float | str]]:
        """The pairs, as session.json has them."""
        return [{"t_mono_s": round(pair.time_s, 6), "t_wall_iso": iso(pair.wall)} for pair in self.pairs]


def iso(wall: datetime) -> str:
    """ISO 8601 with UTC offset, to the millisecond."""
    return wall.isoformat(timespec="milliseconds")


class SleepWatch:
    """Notices that the computer has slept."""

    def __init__(self, asleep: Callable[[], float] | None = None) -> None:
        """asleep: gives the seconds slept since some moment of the past; seconds_asleep if None."""
        self._asleep = asleep or seconds_asleep
        self._before = self._asleep()

    def has_slept(self) -> bool:
        """Whether it slept since the last look."""
        now = self._asleep()
        slept_s, self._before = now - self._before, now
        return slept_s >= _LEAST_SLEEP_S


def seconds_asleep() -> float:
    """Seconds slept, plus a constant. Linux has a clock that goes on in sleep beside the one that does not.

    Elsewhere the wall clock takes its place, so that a clock set forward looks like sleep. On Windows the monotonic
    clock goes on in sleep, which then looks like a camera that was lost.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    return time.time() - time.monotonic()
