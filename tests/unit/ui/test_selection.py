from __future__ import annotations

import numpy as np
import pytest

from fer_live.core.structs import Track
from fer_live.ui.selection import Selection


def _track(face_id: int, side: float) -> Track:
    probabilities = np.full(7, 1 / 7, np.float32)
    return Track(face_id, np.array([0, 0, side, side], np.float32), 0.9, probabilities, probabilities, 0, 1, 0.0)


def _follow(selection: Selection, *tracks: Track, at: float = 0.0) -> int | None:
    track = selection.follow(tracks, at)
    return None if track is None else track.face_id


@pytest.fixture
def selection() -> Selection:
    return Selection()


def test_largest_is_selected(selection: Selection) -> None:
    assert _follow(selection, _track(1, 50), _track(2, 90), _track(3, 70)) == 2
    assert selection.face_id == 2


def test_no_face(selection: Selection) -> None:
    assert _follow(selection) is None
    assert selection.face_id is None


def test_faces_of_about_one_size_do_not_take_turns(selection: Selection) -> None:
    _follow(selection, _track(1, 100), _track(2, 90))
    assert _follow(selection, _track(1, 90), _track(2, 100)) == 1
    assert _follow(selection, _track(1, 50), _track(2, 100)) == 2


def test_chosen_face_stays_however_small(selection: Selection) -> None:
    _follow(selection, _track(1, 100), _track(2, 30))
    selection.choose(2)
    assert _follow(selection, _track(1, 100), _track(2, 30)) == 2
    assert _follow(selection, _track(3, 300), _track(2, 20)) == 2


def test_face_that_is_missed_for_a_moment_stays(selection: Selection) -> None:
    one, two = _track(1, 100), _track(2, 30)
    _follow(selection, one, two, at=1.0)
    selection.choose(2)
    assert selection.follow([one, two], 1.1) is two
    assert selection.follow([one], 1.5) is two
    assert selection.follow([], 1.7) is two
    assert selection.follow([one, two], 1.9) is two
    assert _follow(selection, one, at=2.7) == 1


def test_next_and_previous_by_id(selection: Selection) -> None:
    tracks = [_track(7, 50), _track(2, 90), _track(4, 70)]
    _follow(selection, *tracks)
    seen = []
    for by in (1, 1, 1, -1, -1):
        selection.step(by)
        seen.append(_follow(selection, *tracks))
    assert seen == [4, 7, 2, 7, 4]


@pytest.mark.parametrize(("by", "face_id"), [(1, 2), (-1, 7)])
def test_step_from_nowhere(by: int, face_id: int, selection: Selection) -> None:
    selection.follow([_track(7, 50), _track(2, 50)], 0.0)
    selection.face_id = None
    selection.step(by)
    assert selection.face_id == face_id


def test_step_without_a_face_does_nothing(selection: Selection) -> None:
    selection.step(1)
    assert selection.face_id is None


def test_reset_forgets(selection: Selection) -> None:
    _follow(selection, _track(5, 50))
    selection.reset()
    assert selection.face_id is None
    assert _follow(selection) is None
