"""Changing the markers of a session, and deleting it."""

from __future__ import annotations

import csv
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_live.core.structs import Marker
from fer_live.errors import RecordError
from fer_live.record.session import SessionWriter
from fer_live.review import editing
from fer_live.review.reading import Session, open_session
from tests.unit.review.conftest import WriteSession, face, mark, result


@pytest.fixture
def session(write_session: WriteSession) -> Session:
    """Ten seconds at 10 Hz with two markers."""
    folder = write_session(*(result(index, index / 10, face()) for index in range(101)))
    mark(folder, (1.0, "begin"), (5.0, "film"))
    return open_session(folder)


def _saved(session: Session) -> list[list[str]]:
    with (session.folder / "markers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


class TestMarkers:
    def test_added_one_has_its_frame_and_wall_clock_time(self, session: Session) -> None:
        changed = editing.add_marker(session, 2.25, "a comma, a 'quote'\nand a line")
        assert _saved(changed) == [
            ["1", "1.000000", "", "0", "begin", "key"],
            ["3", "2.250000", "2026-01-02T03:04:07.250+00:00", "22", "a comma, a 'quote' and a line", "review"],
            ["2", "5.000000", "", "0", "film", "key"],
        ]
        assert open_session(session.folder).markers.equals(changed.markers)
        assert session.markers.height == 2

    def test_first_one_of_a_session_without_markers(self, write_session: WriteSession) -> None:
        folder = write_session(result(0, 0.0, face()), is_live=False)
        session = editing.add_marker(open_session(folder), 0.0, "x")
        assert _saved(session) == [["1", "0.000000", "", "0", "x", "review"]]

    def test_renamed(self, session: Session) -> None:
        assert [row[4] for row in _saved(editing.rename_marker(session, 2, "film 2"))] == ["begin", "film 2"]

    def test_moved_one_keeps_its_origin_and_the_order_is_that_of_time(self, session: Session) -> None:
        rows = _saved(editing.move_marker(session, 1, 7.5))
        assert [(row[0], row[1], row[3], row[5]) for row in rows] == [
            ("2", "5.000000", "0", "key"),
            ("1", "7.500000", "75", "key"),
        ]

    def test_deleted(self, session: Session) -> None:
        session = editing.delete_marker(session, 1)
        assert [row[4] for row in _saved(session)] == ["film"]
        assert [row[4] for row in _saved(editing.delete_marker(session, 2))] == []

    @pytest.mark.parametrize(("marker_id", "name"), [(1, "moved"), (2, "renamed"), (3, "added"), (1, "deleted")])
    def test_change_can_be_taken_back(self, marker_id: int, name: str, session: Session) -> None:
        before = session.markers
        session = {
            "moved": lambda: editing.move_marker(session, 1, 7.5),
            "renamed": lambda: editing.rename_marker(session, 2, "x"),
            "added": lambda: editing.add_marker(session, 2.0, "x"),
            "deleted": lambda: editing.delete_marker(session, 1),
        }[name]()
        assert not session.markers.equals(before)
        session = editing.put_back(session, marker_id, before.filter(before["marker_id"] == marker_id))
        assert session.markers.equals(before)
        assert open_session(session.folder).markers.equals(before)

    def test_marker_that_came_after_the_session_was_opened_stays(self, session: Session) -> None:
        mark(session.folder, (1.0, "begin"), (5.0, "film"), (9.0, "end"))
        assert [row[4] for row in _saved(editing.rename_marker(session, 2, "film 2"))] == ["begin", "film 2", "end"]
        mark(session.folder, (1.0, "begin"), (5.0, "film"), (9.0, "end"))
        assert [row[0] for row in _saved(editing.add_marker(session, 9.5, "x"))] == ["1", "2", "3", "4"]
        assert [row[4] for row in _saved(editing.delete_marker(session, 1))] == ["film", "end", "x"]

    def test_marker_before_the_first_row(self, session: Session) -> None:
        late = session.frames.slice(50)
        changed = editing.add_marker(Session(session.folder, session.facts, late, session.markers), 0.5, "early")
        assert changed.markers.row(0, named=True)["frame_index"] is None

    def test_what_cannot_be_saved_changes_nothing(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        before = (session.folder / "markers.csv").read_bytes()

        def fail(file: int) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(RecordError, match=r"markers\.csv' cannot be written"):
            editing.add_marker(session, 1.0, "x")
        assert (session.folder / "markers.csv").read_bytes() == before
        assert {path.name for path in session.folder.iterdir()} == {"frames.csv", "markers.csv", "session.json"}


class TestDeleting:
    def test_all_of_the_folder_and_nothing_else(self, session: Session) -> None:
        (session.folder / "video.mp4").write_bytes(b"x")
        (session.folder / "own").mkdir()
        beside = session.folder.parent / "beside"
        beside.mkdir()
        editing.delete_session(session)
        assert not session.folder.exists()
        assert beside.is_dir()

    @pytest.mark.parametrize("missing", ["frames.csv", "session.json"])
    def test_folder_that_is_no_session_any_more_stays(self, missing: str, session: Session) -> None:
        (session.folder / missing).unlink()
        with pytest.raises(RecordError, match="not a session's folder"):
            editing.delete_session(session)
        assert (session.folder / "markers.csv").is_file()

    def test_link_is_not_followed(self, session: Session) -> None:
        link = session.folder.parent / "link"
        link.symlink_to(session.folder, target_is_directory=True)
        with pytest.raises(RecordError, match="not a session's folder"):
            editing.delete_session(open_session(link))
        assert (session.folder / "frames.csv").is_file()

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
    def test_what_cannot_be_deleted_is_said(self, session: Session) -> None:
        session.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            with pytest.raises(RecordError, match="cannot be deleted"):
                editing.delete_session(session)
        finally:
            session.folder.chmod(stat.S_IRWXU)


def test_session_that_is_being_recorded_is_left_alone(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    writer = SessionWriter(folder, "live", session.labels, dict(session.facts), start_wall=None)
    writer.write(result(0, 0.0, face()))
    writer.keep_up()
    live = open_session(folder)
    for change in (
        lambda: editing.add_marker(live, 0.0, "x"),
        lambda: editing.rename_marker(live, 1, "x"),
        lambda: editing.delete_session(live),
    ):
        with pytest.raises(RecordError, match="still being recorded"):
            change()
    writer.close()
    assert editing.add_marker(open_session(folder), 0.0, "x").markers.height == 1


def test_what_the_recorder_wrote_is_what_is_edited(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    start = datetime(2026, 1, 2, 10, tzinfo=UTC)
    writer = SessionWriter(folder, "recorded", session.labels, dict(session.facts), start_wall=start)
    writer.write(result(0, 0.0, face()))
    writer.write_marker(Marker(0.5, "one, two", "key", 3))
    writer.close()
    before = (folder / "markers.csv").read_text()
    recorded = open_session(folder)
    editing.rename_marker(recorded, 1, "one, two")
    assert (folder / "markers.csv").read_text() == before
