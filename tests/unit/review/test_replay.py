"""Rows turned back into results."""

from __future__ import annotations

import numpy as np

from fer_live.review.reading import open_session
from fer_live.review.replay import result_at
from tests.unit.review.conftest import WriteSession, face, result


def test_result_is_what_was_recorded(write_session: WriteSession) -> None:
    written = result(2, 0.5, face(1, "sad", 0.75, shown="angry"), face(2, reason="turned"), face(3, shown=None))
    session = open_session(write_session(result(0, 0.0, face(1)), result(1, 0.25), written, result(3, 0.75)))
    read = result_at(session, 0.6)
    assert (read.frame_index, read.captured_at) == (2, 0.5)
    assert [track.face_id for track in read.tracks] == [1, 2, 3]
    for one, other in zip(read.tracks, written.tracks, strict=True):
        assert np.array_equal(one.box, other.box)
        assert np.allclose(one.probabilities, other.probabilities, atol=1e-5)
        assert (one.label_index, one.reason, one.score) == (other.label_index, other.reason, other.score)


def test_frame_without_a_face(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0, face()), result(1, 0.25)))
    assert result_at(session, 0.3).tracks == ()


def test_frames_that_were_dropped_show_the_last_that_was_not(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0, face()), result(4, 0.4, face())))
    assert "dropped" in session.frames["status"].to_list()
    assert len(result_at(session, 0.2).tracks) == 1


def test_in_a_gap_no_face_is_known(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0, face()), result(100, 10.0, face())))
    assert result_at(session, 5.0).tracks == ()
    assert result_at(session, -1.0).tracks == ()
