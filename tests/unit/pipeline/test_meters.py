from __future__ import annotations

import pytest

from fer_live.pipeline.meters import Meter, Reading


def test_rate_and_ages_of_a_steady_stream() -> None:
    meter = Meter()
    for number in range(100):
        meter.add(number / 25, age_ms=number % 10)
    reading = meter.read(99 / 25)
    assert reading.rate_hz == pytest.approx(25)
    assert reading.age_p50_ms == pytest.approx(4.5, abs=0.6)
    assert reading.age_p95_ms == pytest.approx(9, abs=0.6)


def test_only_the_last_seconds_count() -> None:
    meter = Meter()
    for number in range(50):
        meter.add(number / 10, 1000)
    for number in range(50):
        meter.add(10 + number / 10, 5)
    assert meter.read(15) == Reading(pytest.approx(10, rel=0.05), 5, 5)


def test_rate_falls_when_nothing_comes() -> None:
    meter = Meter()
    for number in range(31):
        meter.add(number / 10, 5)
    assert meter.read(3.0).rate_hz == pytest.approx(10)
    assert meter.read(5.0).rate_hz == pytest.approx(10 / 3, rel=0.1)
    assert meter.read(60.0) == Reading(0, 0, 0)


def test_one_frame_is_no_rate() -> None:
    meter = Meter()
    assert meter.read(0) == Reading(0, 0, 0)
    meter.add(1, 20)
    assert meter.read(1) == Reading(0, 0, 0)
