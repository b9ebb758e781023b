from __future__ import annotations

import polars as pl
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.review.reading import open_session
from fer_live.review.summary import (
    HOLD_S,
    gaps,
    latencies,
    low_quality,
    marker_intervals,
    rows_with_time,
    shares,
    transitions,
)
from tests.unit.review.conftest import WriteSession, face, mark, result


def test_row_stands_for_the_time_to_the_next_frame(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face(1), face(2)), result(1, 0.1), result(2, 0.4, face(1)))
    rows = rows_with_time(open_session(folder))
    assert rows["held"].to_list() == pytest.approx([0.1, 0.1, 0.3, 0.2])  # the last: the median


def test_gap_is_held_for_half_a_second_at_most(write_session: WriteSession) -> None:
    folder = write_session(
        result(0, 0.0, face()), result(2, 0.2, face()), result(3, 2.2, face()), result(9, 5.0, face())
    )
    rows = rows_with_time(open_session(folder))
    assert rows["held"].to_list() == pytest.approx([0.2, 2.0, HOLD_S, 0.5])
    assert "dropped" not in rows["status"]


def test_pictures_count_one_each(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0, face()), result(1, 0.0), is_live=False, timed=False)
    rows = rows_with_time(open_session(folder))
    assert rows["held"].to_list() == [1.0, 1.0]
    assert rows["interval"].to_list() == [0, 0]


def test_one_frame_and_none(write_session: WriteSession) -> None:
    assert rows_with_time(open_session(write_session(result(0, 0.0, face()), name="one")))["held"].to_list() == [0.0]
    session = open_session(write_session(name="none"))
    rows = rows_with_time(session)
    assert rows.is_empty()
    assert shares(rows, session.labels, "face_id").is_empty()
    assert transitions(rows) == {}
    assert gaps(session.frames).is_empty()
    assert latencies(rows).is_empty()
    assert marker_intervals(session).rows() == [(0, "", 0.0, 0.0)]


def test_shares_are_of_time(write_session: WriteSession) -> None:
    folder = write_session(
        result(0, 0.0, face(1, "happy"), face(2, "sad")),
        result(1, 0.3, face(1, "sad")),
        result(2, 0.4, face(1, "happy", shown=None)),
        result(3, 1.0),
    )
    table = shares(rows_with_time(open_session(folder)), FER2013_LABELS, "face_id")
    one, two = table.to_dicts()
    assert one["held"] == pytest.approx(1.0)
    assert (one["happy"], one["sad"], one["uncertain"]) == pytest.approx((0.3, 0.1, 0.6))
    assert sum(one[label] for label in (*FER2013_LABELS, "uncertain")) == pytest.approx(1)
    assert two["sad"] == 1
    assert two["held"] == pytest.approx(0.3)


def test_low_quality_has_time_but_no_share(write_session: WriteSession) -> None:
    folder = write_session(
        result(0, 0.0, face(1, "happy"), face(2, "sad", reason="turned")),
        result(1, 0.1, face(1, "sad", reason="blurred")),
        result(2, 0.3, face(1, "sad", reason="blurred")),
        result(3, 0.6),
    )
    rows = rows_with_time(open_session(folder))
    one, two = shares(rows, FER2013_LABELS, "face_id").to_dicts()
    assert one["happy"] == 1
    assert (one["held"], one["low_held"]) == pytest.approx((0.1, 0.5))
    assert two["held"] == 0
    assert two["sad"] is None
    assert low_quality(rows)["reason", "faces"].rows() == [("blurred", 2), ("turned", 1)]
    assert transitions(rows) == {}


def test_markers_cut_the_time(write_session: WriteSession) -> None:
    labels = ["happy", "happy", "sad", "sad", "sad", "sad"]
    folder = write_session(*(result(index, index / 10, face(label=label)) for index, label in enumerate(labels)))
    mark(folder, (0.2, "start"), (0.4, "end, later"))
    session = open_session(folder)
    assert marker_intervals(session).rows() == [(0, "", 0.0, 0.2), (1, "start", 0.2, 0.4), (2, "end, later", 0.4, 0.5)]
    rows = rows_with_time(session)
    assert rows["interval"].to_list() == [0, 0, 1, 1, 2, 2]
    table = shares(rows, FER2013_LABELS, "interval", "face_id")
    assert table["happy"].to_list() == [1, 0, 0]
    assert table["held"].to_list() == pytest.approx([0.2, 0.2, 0.2])


def test_changes_of_label_are_counted_per_face(write_session: WriteSession) -> None:
    labels = ["happy", "happy", "sad", "happy", "sad"]
    folder = write_session(
        *(result(index, index / 10, face(1, label), face(2, "fear")) for index, label in enumerate(labels))
    )
    assert transitions(rows_with_time(open_session(folder))) == {("happy", "sad"): 2, ("sad", "happy"): 1}


def test_gaps_by_reason(write_session: WriteSession) -> None:
    folder = write_session(result(0, 0.0), result(3, 0.3), result(4, 0.4), result(5, 0.5), result(7, 1.0))
    path = folder / "frames.csv"
    path.write_text(path.read_text().replace("dropped,,,,,,,,,,,,,,,,,,,,1,,,slow", "dropped,,,,,,,,,,,,,,,,,,,,1,,,"))
    table = gaps(open_session(folder).frames)
    assert table["reason", "gaps", "frames"].rows() == [("slow", 1, 2), ("unknown", 1, 1)]
    assert table["seconds"].to_list() == pytest.approx([0.3, 0.5])


def test_latency_is_of_frames(write_session: WriteSession) -> None:
    folder = write_session(
        *(result(index, index / 10, face(1), face(2), age_ms=10 * (index + 1)) for index in range(10)), result(10, 1.0)
    )
    table = latencies(rows_with_time(open_session(folder)))
    assert table["measure"].to_list() == ["age_ms", "infer_ms"]
    assert table["frames"].to_list() == [11, 10]
    assert table.row(0, named=True)["p50"] == pytest.approx(50)
    assert table.row(0, named=True)["max"] == pytest.approx(100)
    assert table.row(1, named=True)["p99"] == pytest.approx(5)


def test_analysed_files_have_no_latency(write_session: WriteSession) -> None:
    session = open_session(write_session(result(0, 0.0, face()), is_live=False))
    assert latencies(rows_with_time(session)).is_empty()


def test_time_adds_up(write_session: WriteSession) -> None:
    moments = [0.0, 0.03, 0.08, 0.2, 0.21, 0.5]
    folder = write_session(*(result(index, moment, face()) for index, moment in enumerate(moments)))
    rows = rows_with_time(open_session(folder))
    assert rows["held"].sum() == pytest.approx(0.5 + pl.Series(moments).diff().median())
