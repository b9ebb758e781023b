"""Sessions as arrays over time."""

from __future__ import annotations

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import RecordError
from fer_live.review.reading import open_session
from fer_live.review.series import face_ids, face_series, length_s
from tests.unit.review.conftest import WriteSession, face, result

_HAPPY, _SAD = FER2013_LABELS.index("happy"), FER2013_LABELS.index("sad")


def test_rows_times_and_values_of_one_face(write_session: WriteSession) -> None:
    session = open_session(
        write_session(*(result(index, index / 4, face(1), face(2, "sad", 0.6)) for index in range(3)))
    )
    series = face_series(session, 2)
    assert series.rows.tolist() == [1, 3, 5]
    assert series.times.tolist() == [0, 0.25, 0.5]
    assert series.values.shape == (3, len(FER2013_LABELS))
    assert series.values[:, _SAD] == pytest.approx(0.6)
    assert series.shown.tolist() == [_SAD] * 3


def test_face_with_most_rows_comes_first(write_session: WriteSession) -> None:
    session = open_session(
        write_session(result(0, 0.0, face(1), face(2)), result(1, 0.1, face(2)), result(2, 0.2, face(3)))
    )
    assert face_ids(session) == [2, 1, 3]


def test_times_without_the_face_from_begin_to_end(write_session: WriteSession) -> None:
    times = [(0.0, False), (1.0, True), (1.25, True), (3.0, True), (3.5, True), (5.0, False)]
    rows = [result(index, at, *([face()] if is_there else [])) for index, (at, is_there) in enumerate(times)]
    series = face_series(open_session(write_session(*rows)), 1)
    assert series.absent.tolist() == [[0, 1], [1.25, 3], [3.5, 5]]


def test_spans_end_at_gaps_and_at_changes(write_session: WriteSession) -> None:
    labels = ["happy", "happy", "sad", "sad", "sad", "happy"]
    times = [0.0, 0.25, 0.5, 2.0, 2.25, 2.5]
    rows = [result(index, at, face(label=label)) for index, (at, label) in enumerate(zip(times, labels, strict=True))]
    series = face_series(open_session(write_session(*rows)), 1)
    assert series.shown_spans(_HAPPY).tolist() == [[0, 0.5], [2.5, 2.5]]
    assert series.shown_spans(_SAD).tolist() == [[0.5, 0.5], [2, 2.5]]
    assert series.shown_spans(-1).tolist() == []


def test_uncertain_and_low_quality(write_session: WriteSession) -> None:
    rows = [
        result(0, 0.0, face(shown=None)),
        result(1, 0.25, face(reason="turned")),
        result(2, 0.5, face(reason="blurred")),
        result(3, 0.75, face()),
    ]
    series = face_series(open_session(write_session(*rows)), 1)
    assert series.shown_spans(-1).tolist() == [[0, 0.25]]
    assert series.low.tolist() == [[0.25, 0.75]]


def test_row_at_a_time(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0), result(1, 0.5, face()), result(2, 2.0, face())))
    series = face_series(session, 1)
    for time_s, index in ((0.4, None), (0.5, 1), (0.9, 1), (1.5, None), (2.0, 2), (2.4, 2)):
        row = series.row_at(time_s)
        assert (None if row is None else session.frames["frame_index"][row]) == index


def test_face_that_is_not_there_is_absent_all_the_time(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0), result(1, 2.0)))
    series = face_series(session, 0)
    assert series.absent.tolist() == [[0, 2]]
    assert series.row_at(1.0) is None
    assert series.values.shape == (0, len(FER2013_LABELS))
    assert not np.concatenate([series.low, series.shown_spans(_HAPPY)]).size
    assert face_ids(session) == []


def test_pictures_that_stand_alone_have_no_timeline(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0, face()), is_live=False, timed=False))
    with pytest.raises(RecordError, match="has no timeline"):
        length_s(session)
