from __future__ import annotations

import json

import numpy as np
import pytest

from fer_live.core.baseline import MIN_FRAMES, shifted
from fer_live.core.structs import Result, Track
from fer_live.errors import BaselineError
from fer_live.pipeline.baselines import Baselines
from tests.fakes import ManualClock

_REFERENCE = (-2.0, -0.5, -1.0)
_RESTING = np.array([0.7, 0.1, 0.2], np.float32)


def _result(captured_at: float, face_id: int = 1, reason: str = "", seen: np.ndarray = _RESTING) -> Result:
    box = np.array([0, 0, 60, 60], np.float32)
    track = Track(face_id, box, 0.9, seen, seen, None, 1, 0.0, reason)
    return Result(0, captured_at, captured_at, (track,))


def _look(baselines: Baselines, clock: ManualClock, frames: int = 30, reason: str = "", face_id: int = 1) -> None:
    """A face is seen at rest, 10 times a second."""
    for _ in range(frames):
        clock.advance(0.1)
        baselines.see(_result(clock.now, face_id, reason))


def _taken(clock: ManualClock, face_id: int = 1) -> Baselines:
    baselines = Baselines(clock)
    baselines.begin(face_id, _REFERENCE)
    _look(baselines, clock, face_id=face_id)
    clock.advance(1)
    assert baselines.finish() is not None
    return baselines


def test_a_look_of_three_seconds_is_counted_down_and_taken() -> None:
    clock = ManualClock(100.0)
    baselines = Baselines(clock)
    assert baselines.taking() is None
    baselines.begin(1, _REFERENCE)
    _look(baselines, clock, 20)
    taking = baselines.taking()
    assert taking is not None
    assert taking == (1, pytest.approx(1.0))
    assert baselines.finish() is None
    _look(baselines, clock, 10)
    clock.advance(1)
    baseline = baselines.finish()
    assert baseline is not None
    assert (baseline.face_id, baseline.at) == (1, clock.now)
    expected = np.exp(_REFERENCE) / np.exp(_REFERENCE).sum()
    np.testing.assert_allclose(shifted(_RESTING, baseline.offset), expected, rtol=1e-5)
    assert baselines.taking() is None
    assert baselines.finish() is None


def test_only_good_frames_of_that_face_within_the_look_count() -> None:
    clock = ManualClock()
    baselines = Baselines(clock)
    baselines.begin(1, _REFERENCE)
    other = np.array([0.1, 0.1, 0.8], np.float32)
    for wrong in (
        _result(1.0, face_id=2, seen=other),
        _result(1.0, reason="blurred", seen=other),
        _result(-0.1, seen=other),
        _result(3.1, seen=other),
    ):
        baselines.see(wrong)
    _look(baselines, clock)
    clock.advance(1)
    baseline = baselines.finish()
    assert baseline is not None
    np.testing.assert_allclose(baseline.offset, np.array(_REFERENCE) - np.log(_RESTING), rtol=1e-5)


@pytest.mark.parametrize(
    ("frames", "reason"), [(MIN_FRAMES - 1, ""), (30, "turned"), (0, "")], ids=["few", "turned away", "gone"]
)
def test_too_little_of_a_face_is_said(frames: int, reason: str) -> None:
    clock = ManualClock()
    baselines = Baselines(clock)
    baselines.begin(1, _REFERENCE)
    _look(baselines, clock, frames, reason)
    clock.advance(5)
    with pytest.raises(BaselineError, match="are needed"):
        baselines.finish()
    assert baselines.finish() is None
    assert not baselines.has(1)


def test_cancelled_look_leaves_nothing() -> None:
    clock = ManualClock()
    baselines = Baselines(clock)
    baselines.begin(1, _REFERENCE)
    _look(baselines, clock)
    baselines.cancel()
    clock.advance(5)
    assert (baselines.finish(), baselines.taking()) == (None, None)


def test_it_counts_for_that_face_and_for_frames_captured_from_then_on() -> None:
    clock = ManualClock()
    baselines = _taken(clock)
    assert baselines.offset_of(1, clock.now) is not None
    assert baselines.offset_of(1, clock.now - 0.01) is None
    assert baselines.offset_of(2, clock.now) is None
    assert (baselines.has(1), baselines.has(2), baselines.has(None)) == (True, False, False)


def test_a_removed_one_still_counts_for_frames_from_before() -> None:
    clock = ManualClock()
    baselines = _taken(clock)
    clock.advance(2)
    baselines.remove(1)
    assert baselines.offset_of(1, clock.now) is None
    assert baselines.offset_of(1, clock.now - 1) is not None
    baselines.remove(1)
    baselines.remove(7)
    assert len(baselines.facts(0.0)["1"]) == 2
    assert set(baselines.facts(0.0)) == {"1"}


def test_facts_tell_all_of_them_by_time_since_the_origin() -> None:
    clock = ManualClock(50.0)
    baselines = _taken(clock)
    at = clock.now
    clock.advance(2)
    baselines.remove(1)
    facts = json.loads(json.dumps(baselines.facts(60.0)))
    assert list(facts) == ["1"]
    assert [entry["at"] for entry in facts["1"]] == pytest.approx([at - 60, at - 58])
    assert len(facts["1"][0]["offset"]) == 3
    assert facts["1"][1]["offset"] is None
