from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fer_live.record.clocks import ClockPair, SleepWatch, WallClock, iso, seconds_asleep
from tests.fakes import ManualClock

_START = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)


def _after(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


def test_wall_clock_follows_session_time() -> None:
    wall = WallClock(_START)
    assert [wall.at(time_s) for time_s in (0, 1.5, 86_400)] == [_START, _after(1.5), _after(86_400)]


def test_after_sleep_it_goes_on_from_the_new_pair() -> None:
    wall = WallClock(_START)
    wall.add(ClockPair(10, _after(3610)))
    assert wall.at(12.5) == _after(3612.5)
    assert wall.facts() == [
        {"t_mono_s": 0.0, "t_wall_iso": "2026-03-01T12:30:15.000+00:00"},
        {"t_mono_s": 10, "t_wall_iso": "2026-03-01T13:30:25.000+00:00"},
    ]


@pytest.mark.parametrize("jump_s", [-7200, -0.5, 0, 0.5, 7200])
def test_a_wall_clock_that_jumps_never_turns_time_back(jump_s: float) -> None:
    wall = WallClock(_START)
    times = []
    for second in range(10):
        if second in (3, 6):
            wall.add(ClockPair(second, _after(second + jump_s)))
        times.append(wall.at(second))
    assert times == sorted(times)


def test_time_zones_may_change() -> None:
    wall = WallClock(_START)
    summer = _after(10).astimezone(timezone(timedelta(hours=2)))
    wall.add(ClockPair(10, summer))
    assert wall.at(10) == _after(10)
    assert iso(wall.at(11)) == "2026-03-01T14:30:26.000+02:00"


def test_sleep_is_noticed_once() -> None:
    asleep = ManualClock(1000.0)
    watch = SleepWatch(asleep)
    assert not watch.has_slept()
    asleep.advance(0.01)
    assert not watch.has_slept()
    asleep.advance(3600)
    assert watch.has_slept()
    assert not watch.has_slept()


def test_nobody_sleeps_here() -> None:
    watch = SleepWatch()
    assert not watch.has_slept()


@pytest.mark.skipif(sys.platform != "linux", reason="has no clock of its own for sleep")
def test_the_wall_clock_has_no_say_on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = SleepWatch()
    monkeypatch.setattr(time, "time", lambda: 1e12)
    assert not watch.has_slept()


def test_elsewhere_the_wall_clock_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "time", lambda: 5000.0)
    assert seconds_asleep() == 4900.0
