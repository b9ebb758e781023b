from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest

from fer_live.config import TrackingConfig
from fer_live.core.structs import Track
from fer_live.core.tracking import Tracker
from tests.fakes import Box, faces_at

HAPPY, SAD = 0, 1
_SURE = {HAPPY: (0.9, 0.1), SAD: (0.1, 0.9)}


def _at(x: float, y: float = 100, side: float = 80) -> Box:
    return x, y, x + side, y + side


def _update(
    tracker: Tracker, time_s: float, boxes: Iterable[Box], labels: Iterable[int] | None = None
) -> tuple[Track, ...]:
    faces = faces_at(*boxes)
    rows = [_SURE[label] for label in labels] if labels is not None else [_SURE[HAPPY]] * len(faces)
    return tracker.update(faces, np.array(rows, np.float32).reshape(-1, 2), time_s)


def _ids(tracks: tuple[Track, ...]) -> list[int]:
    return [track.face_id for track in tracks]


def test_ids_count_from_one_in_the_order_of_faces() -> None:
    assert _ids(_update(Tracker(TrackingConfig()), 0, [_at(300), _at(0)])) == [1, 2]


def test_a_moving_face_keeps_its_id_whatever_the_order() -> None:
    tracker = Tracker(TrackingConfig())
    _update(tracker, 0, [_at(0), _at(300)])
    assert _ids(_update(tracker, 0.03, [_at(310), _at(12)])) == [2, 1]
    assert _ids(_update(tracker, 0.06, [_at(24), _at(320)])) == [1, 2]


def test_id_survives_a_short_miss_but_not_a_long_one() -> None:
    tracker = Tracker(TrackingConfig(max_missed_ms=500))
    _update(tracker, 0.0, [_at(0)])
    assert _update(tracker, 0.2, []) == ()
    assert _ids(_update(tracker, 0.5, [_at(5)])) == [1]
    assert _ids(_update(tracker, 1.1, [_at(5)])) == [2]


def test_a_far_jump_is_another_face() -> None:
    tracker = Tracker(TrackingConfig())
    _update(tracker, 0, [_at(0)])
    assert _ids(_update(tracker, 0.03, [_at(200)])) == [2]


def test_two_crossing_faces_keep_their_ids() -> None:
    tracker = Tracker(TrackingConfig())
    for step in range(41):
        left_to_right, right_to_left = _at(10 * step, 100), _at(400 - 10 * step, 130)
        tracks = _update(tracker, step / 30, [left_to_right, right_to_left])
        assert _ids(tracks) == [1, 2]


def test_one_past_continues_in_one_face_only() -> None:
    tracker = Tracker(TrackingConfig())
    _update(tracker, 0, [_at(0)])
    # The second overlaps more, so it is the same face.
    assert _ids(_update(tracker, 0.03, [_at(20), _at(4)])) == [2, 1]


def test_hits_and_age_count_from_the_first_sight() -> None:
    tracker = Tracker(TrackingConfig())
    _update(tracker, 1.0, [_at(0)])
    _update(tracker, 1.1, [])
    (track,) = _update(tracker, 1.4, [_at(0)])
    assert track.hits == 2
    assert track.age_s == pytest.approx(0.4)


def test_smoothing_honours_real_intervals() -> None:
    config = TrackingConfig(smoothing_ms=300)
    slow, fast = Tracker(config), Tracker(config)
    for tracker in (slow, fast):
        _update(tracker, 0, [_at(0)], [HAPPY])
    (once,) = _update(slow, 0.3, [_at(0)], [SAD])
    for step in range(1, 10):
        _update(fast, step / 30, [_at(0)], [SAD])
    (often,) = _update(fast, 0.3, [_at(0)], [SAD])
    np.testing.assert_allclose(once.smoothed, often.smoothed, rtol=1e-5)
    np.testing.assert_allclose(once.probabilities, _SURE[SAD])
    assert once.smoothed[SAD] == pytest.approx(0.1 + 0.8 * (1 - np.exp(-1)), rel=1e-5)


def test_one_odd_frame_does_not_change_the_label_but_many_do() -> None:
    tracker = Tracker(TrackingConfig(smoothing_ms=300))
    _update(tracker, 0, [_at(0)], [HAPPY])
    shown = [_update(tracker, step / 30, [_at(0)], [SAD])[0].label_index for step in range(1, 30)]
    assert shown[0] == HAPPY
    assert shown[-1] == SAD
    changes = sum(one != other for one, other in pairwise(shown))
    assert changes <= 2  # at most over uncertain


def test_no_label_while_uncertain() -> None:
    tracker = Tracker(TrackingConfig(uncertain_below=0.6, hysteresis=0.1))
    (track,) = tracker.update(faces_at(_at(0)), np.array([[0.55, 0.45]], np.float32), 0.0)
    assert track.label_index is None


def test_faces_are_forgotten_but_ids_go_on() -> None:
    tracker = Tracker(TrackingConfig())
    _update(tracker, 0, [_at(0)], [HAPPY])
    tracker.forget()
    (track,) = _update(tracker, 0.03, [_at(0)], [SAD])
    assert track.face_id == 2
    np.testing.assert_allclose(track.smoothed, _SURE[SAD])


def _reasoned(tracker: Tracker, time_s: float, label: int, reason: str) -> Track:
    (track,) = tracker.update(faces_at(_at(0)), np.array([_SURE[label]], np.float32), time_s, [reason])
    return track


def test_frames_of_low_quality_are_held_out_of_smoothing() -> None:
    tracker = Tracker(TrackingConfig(smoothing_ms=300))
    good = _reasoned(tracker, 0.0, HAPPY, "")
    for step in range(1, 20):
        low = _reasoned(tracker, step / 30, SAD, "blurred")
        assert low.reason == "blurred"
        assert low.label_index == HAPPY
        np.testing.assert_array_equal(low.smoothed, good.smoothed)
        np.testing.assert_allclose(low.probabilities, _SURE[SAD])
    assert (low.face_id, low.hits) == (good.face_id, 20)


def test_after_low_quality_smoothing_goes_on_from_the_last_good_frame() -> None:
    tracker = Tracker(TrackingConfig(smoothing_ms=300))
    _reasoned(tracker, 0.0, HAPPY, "")
    _reasoned(tracker, 0.2, HAPPY, "turned")
    again = _reasoned(tracker, 0.3, SAD, "")
    assert again.reason == ""
    assert again.smoothed[SAD] == pytest.approx(0.1 + 0.8 * (1 - np.exp(-1)), rel=1e-5)


def test_face_that_was_never_good_is_unknown_until_it_is() -> None:
    tracker = Tracker(TrackingConfig(smoothing_ms=300))
    low = _reasoned(tracker, 0.0, SAD, "too_small")
    assert low.label_index is None
    np.testing.assert_allclose(low.smoothed, [0.5, 0.5])
    good = _reasoned(tracker, 0.1, HAPPY, "")
    np.testing.assert_allclose(good.smoothed, _SURE[HAPPY])
    assert (good.face_id, good.hits, good.label_index) == (1, 2, HAPPY)


def test_baseline_moves_what_is_smoothed_and_shown_but_not_what_was_seen() -> None:
    offsets = {1: (-6.0, 0.0)}
    tracker = Tracker(TrackingConfig(), lambda face_id, _: offsets.get(face_id))
    first, second = _update(tracker, 0, [_at(0), _at(300)], [HAPPY, HAPPY])
    assert (first.label_index, second.label_index) == (SAD, HAPPY)
    np.testing.assert_allclose(first.probabilities, _SURE[HAPPY])
    offsets.clear()
    first, _ = _update(tracker, 0.5, [_at(0), _at(300)], [HAPPY, HAPPY])
    assert first.label_index == HAPPY


def test_track_takes_box_and_score_of_its_face() -> None:
    tracker = Tracker(TrackingConfig())
    faces = faces_at(_at(3), score=0.75)
    (track,) = tracker.update(faces, np.array([_SURE[SAD]], np.float32), 0.0)
    np.testing.assert_array_equal(track.box, faces.boxes[0])
    assert track.score == 0.75
