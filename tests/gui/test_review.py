"""Sessions in the window: what is shown of them, and what can be changed."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QWidget,
)
from pyqtgraph import PlotWidget, getConfigOption, setConfigOption

from fer_live.core.structs import Frame
from fer_live.record.cameravideo import VIDEO_MP4
from fer_live.record.mp4 import Mp4File
from fer_live.ui.main_window import MainWindow
from fer_live.ui.review_page import ReviewPage
from tests.gui.conftest import Stage, assert_nothing_clipped, shows, visible_text
from tests.unit.review.conftest import face, mark, result, session_in

_SECONDS, _RATE_HZ = 60, 10


@pytest.fixture(autouse=True)
def every_mouse_event_counts() -> Iterator[None]:
    """pyqtgraph passes over events that come faster than a hand moves, which those of a test may."""
    limit = getConfigOption("mouseRateLimit")
    setConfigOption("mouseRateLimit", 0)
    yield
    setConfigOption("mouseRateLimit", limit)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A minute of face 1, sad in its second half, and of face 2, which is away from 20 to 30 s."""
    results = []
    for index in range(_SECONDS * _RATE_HZ + 1):
        at = index / _RATE_HZ
        faces = [face(1, "happy" if at < 30 else "sad", reason="turned" if 50 <= at < 52 else "")]
        if not 20 < at < 30:
            faces.append(face(2, "fear"))
        results.append(result(index, at, *faces))
    folder = session_in(tmp_path, *results, name="P07")
    mark(folder, (10.0, "begin"), (40.0, "film"))
    return folder


@pytest.fixture
def page(stage: Stage, folder: Path) -> Iterator[ReviewPage]:
    window = stage.open("0")
    window.reviewing.show_session(folder)
    assert window.reviewing.page is not None
    assert shows(window, window.reviewing.page)
    yield window.reviewing.page


def _window(page: ReviewPage) -> MainWindow:
    window = page.window()
    assert isinstance(window, MainWindow)
    return window


def _markers(folder: Path) -> list[tuple[str, str]]:
    with (folder / "markers.csv").open(encoding="utf-8", newline="") as file:
        return [(row["t_mono_s"], row["name"]) for row in csv.DictReader(file)]


def _table(page: ReviewPage) -> QTableWidget:
    table = page.findChild(QTableWidget)
    assert table is not None
    return table


def _cells(page: ReviewPage) -> list[list[str]]:
    table = _table(page)
    return [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount())]  # type: ignore[union-attr]


def _press(page: QWidget, title: str) -> None:
    (button,) = (each for each in page.findChildren(QPushButton) if each.text() == title)
    button.click()


def _plot(page: ReviewPage) -> PlotWidget:
    plot = page.timeline.findChild(PlotWidget)
    assert isinstance(plot, PlotWidget)
    return plot


def _place(page: ReviewPage, time_s: float) -> QPoint:
    """Where a time is on the plot's viewport, in the middle of its height."""
    QApplication.processEvents()
    box = _plot(page).getViewBox()
    place = box.mapViewToScene(QPointF(time_s, 0.6))
    return _plot(page).mapFromScene(place)


class TestOpening:
    def test_menu_asks_for_a_folder_and_stops_what_runs(
        self, stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def ask(parent: QWidget, title: str, start: str) -> str:
            asked.append(start)
            return str(folder)

        monkeypatch.setattr(QFileDialog, "getExistingDirectory", ask)
        window = stage.run()
        (action,) = (each for each in window.actions() if each.text() == "Open session…")
        assert action.shortcut().toString() == "Ctrl+Shift+O"
        action.trigger()
        assert asked == [str(stage.recordings)]
        assert window.controller.session is None
        assert window.reviewing.page is not None
        assert shows(window, window.reviewing.page)
        text = visible_text(window)
        for words in ("P07", "1:00 · 2 faces · 0.0 % dropped", "0:00.000", "smoothed: Happy 70 %", "Report", "Close"):
            assert words in text
        assert "recovered" not in text
        assert_nothing_clipped(window)

    def test_full_screen_is_left_for_it(self, stage: Stage, folder: Path) -> None:
        window = stage.run()
        stage.press(window, "f")
        window.reviewing.show_session(folder)
        assert not window.isFullScreen()
        assert window.toolbar.isVisible()

    def test_nothing_chosen_changes_nothing(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
        window = stage.run()
        window.reviewing.ask()
        assert window.controller.session is not None
        assert shows(window, window.live)

    def test_folder_that_is_no_session_is_said(self, stage: Stage, tmp_path: Path) -> None:
        window = stage.open("0")
        window.reviewing.show_session(tmp_path)
        assert "session.json' cannot be read" in window.banner.text()
        assert shows(window, window.welcome)

    def test_what_cannot_be_shown_leaves_what_is_shown(self, page: ReviewPage, tmp_path: Path) -> None:
        window = _window(page)
        window.reviewing.show_session(tmp_path)
        assert "session.json' cannot be read" in window.banner.text()
        assert shows(window, page)
        assert "P07" in visible_text(page)
        page.seek(45.0)
        assert "smoothed: Sad" in visible_text(page)

    def test_pictures_without_times_are_said(self, stage: Stage, tmp_path: Path) -> None:
        folder = session_in(tmp_path, result(0, 0.0, face()), is_live=False, timed=False)
        window = stage.open("0")
        window.reviewing.show_session(folder)
        assert "has no timeline" in window.banner.text()
        assert shows(window, window.welcome)

    def test_recording_that_has_just_ended_is_one_click_away(self, stage: Stage) -> None:
        window = stage.run()
        stage.press(window, "r")
        stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
        given = stage.device.given
        stage.wait(lambda: stage.device.given > given + 10)
        stage.press(window, "r")
        stage.wait(lambda: "Recorded" in window.banner.text())
        (button,) = (each for each in window.banner.findChildren(QPushButton) if each.text() == "Review")
        button.click()
        assert window.reviewing.page is not None
        assert shows(window, window.reviewing.page)
        assert next(stage.recordings.iterdir()).name in visible_text(window)

    def test_recording_that_goes_on_is_finished_first(
        self, stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
        window = stage.run()
        stage.press(window, "r")
        stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
        (recorded,) = stage.recordings.iterdir()
        window.reviewing.show_session(recorded)
        assert "still recording" not in visible_text(window)
        assert json.loads((recorded / "session.json").read_text())["state"] == "closed"

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("recording", "The program or the computer stopped during this recording."),
            ("failed", "An error ended this session early"),
            ("interrupted", "ended early by the user"),
        ],
    )
    def test_how_it_ended_is_explained(self, state: str, words: str, stage: Stage, folder: Path) -> None:
        facts = json.loads((folder / "session.json").read_text())
        (folder / "session.json").write_text(json.dumps({**facts, "state": state}))
        window = stage.open("0")
        window.reviewing.show_session(folder)
        text = visible_text(window)
        assert words in text
        assert ("recovered" if state == "recording" else state) in text
        assert_nothing_clipped(window)

    def test_long_name_does_not_widen_the_window(self, stage: Stage, tmp_path: Path) -> None:
        window = stage.open("0")
        name = "2026-05-01 interview with participant 07, second visit, " + "m" * 80 + " 2"
        results = (result(0, 0.0, face()), result(1, 1.0, face()))
        window.reviewing.show_session(session_in(tmp_path, *results, name="short"))
        usual = window.minimumSizeHint().width()
        window.reviewing.show_session(session_in(tmp_path, *results, name=name))
        assert window.minimumSizeHint().width() < usual + 100
        assert name in visible_text(window)
        assert "1 face ·" in visible_text(window)
        assert_nothing_clipped(window)

    def test_session_without_a_face(self, stage: Stage, tmp_path: Path) -> None:
        window = stage.open("0")
        window.reviewing.show_session(session_in(tmp_path, result(0, 0.0), result(1, 2.0)))
        assert "The face is not seen here." in visible_text(window)
        for key in "[] +-0,.<>":
            stage.press(window, key)
        assert "0 faces" in visible_text(window)

    def test_from_the_command_line(self, stage: Stage, folder: Path) -> None:
        window = MainWindow(stage.config, stage.settings, None, folder)
        window.show()
        stage.wait(lambda: "P07" in visible_text(window))
        assert stage.sources == []
        window.close()
        window.deleteLater()


class TestLeaving:
    @pytest.mark.parametrize("how", ["button", "escape"])
    def test_close_goes_back_to_the_live_picture(self, how: str, stage: Stage, page: ReviewPage) -> None:
        window = _window(page)
        if how == "button":
            _press(page, "Close")
        else:
            stage.press(window, "\x1b")
        stage.wait(lambda: shows(window, window.live))

    def test_start_leaves_it_too(self, stage: Stage, page: ReviewPage) -> None:
        window = _window(page)
        window.toolbar.start.trigger()
        stage.wait(lambda: shows(window, window.live))


class TestMoments:
    def test_values_follow_the_mouse_and_stay_where_it_clicked(self, page: ReviewPage) -> None:
        viewport = _plot(page).viewport()
        QTest.mouseMove(viewport, _place(page, 45.0))
        QApplication.processEvents()
        assert "smoothed: Sad 70 %" in visible_text(page)
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=_place(page, 15.0))
        QApplication.sendEvent(page.timeline, QEvent(QEvent.Type.Leave))
        assert "smoothed: Happy 70 %" in visible_text(page)
        assert page._time_s == pytest.approx(15, abs=0.2)

    def test_low_quality_and_absence_are_said(self, page: ReviewPage) -> None:
        page.seek(51.0)
        assert "low quality: turned away" in visible_text(page)
        page.choose_face(2)
        page.seek(25.0)
        assert "The face is not seen here." in visible_text(page)

    def test_faces_by_key_and_by_list(self, stage: Stage, page: ReviewPage) -> None:
        stage.press(_window(page), "]")
        assert "smoothed: Fear" in visible_text(page)
        stage.press(_window(page), "]")
        assert "smoothed: Happy" in visible_text(page)
        (faces,) = page.head.findChildren(QComboBox)
        faces.setCurrentIndex(1)
        faces.activated.emit(1)
        assert "smoothed: Fear" in visible_text(page)

    def test_keys_step_and_zoom(self, stage: Stage, page: ReviewPage) -> None:
        window = _window(page)
        for key, expected in (
            (">", "0:01.000"),
            (".", "0:01.033"),
            ("<", "0:00.033"),
            (",", "0:00.000"),
            (",", "0:00.000"),
        ):
            stage.press(window, key)
            assert page.moment._title.text() == expected
        page.seek(30.0)
        (left, right), _ = _plot(page).viewRange()
        stage.press(window, "+")
        (nearer_left, nearer_right), _ = _plot(page).viewRange()
        assert left < nearer_left < 30 < nearer_right < right
        stage.press(window, "-0")
        assert _plot(page).viewRange()[0] == pytest.approx([left, right])

    def test_cursor_that_would_leave_the_view_takes_it_along(self, stage: Stage, page: ReviewPage) -> None:
        for _ in range(6):
            page.timeline.zoom(1)
        page.seek(55.0)
        (left, right), _ = _plot(page).viewRange()
        assert left < 55 < right < 61

    @pytest.mark.parametrize(
        ("end_s", "first"), [(5.0, "0:00.5"), (60.0, "0:05"), (3600.0, "5:00"), (86400.0, "2:00:00")]
    )
    def test_ticks_are_those_of_a_clock(self, end_s: float, first: str, page: ReviewPage) -> None:
        axis = _plot(page).getAxis("bottom")
        ((spacing, times),) = axis.tickValues(0, end_s, 1100)
        assert axis.tickStrings(times, 1.0, spacing)[1] == first

    def test_playing_goes_on_until_it_is_paused_or_over(self, stage: Stage, page: ReviewPage) -> None:
        page.seek(59.0)
        stage.press(_window(page), " ")
        stage.wait(lambda: page.moment._title.text() == "1:00.000")
        stage.wait(lambda: not page._player.isActive())
        page.seek(0.0)
        stage.press(_window(page), " ")
        stage.wait(lambda: page.moment._title.text() > "0:00.100")
        stage.press(_window(page), " ")
        assert not page._player.isActive()

    def test_live_keys_do_nothing_here(self, stage: Stage, page: ReviewPage) -> None:
        stage.press(_window(page), "rshf1")
        assert not _window(page).isFullScreen()
        assert not stage.recordings.exists()
        assert _window(page).controller.session is None

    def test_keys_reach_the_page_after_a_click_on_anything(self, stage: Stage, page: ReviewPage) -> None:
        window = _window(page)
        for widget in (_table(page).viewport(), _plot(page).viewport(), page.moment):
            page.seek(0.0)
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
            before = page._time_s
            stage.press(window, ">")
            assert page._time_s == before + 1
        assert {name for _, name in _markers(page._session.folder)} == {"begin", "film"}  # type: ignore[union-attr]

    def test_help_is_that_of_the_page(self, page: ReviewPage) -> None:
        window = _window(page)
        window.show_keys()
        assert "Space: play or pause" in visible_text(window.banner)
        assert "record" not in visible_text(window.banner)


class TestMarkers:
    def test_are_listed_and_flagged(self, page: ReviewPage) -> None:
        assert _cells(page) == [["0:10.000", "begin", "key"], ["0:40.000", "film", "key"]]
        assert [flag.value() for flag in page.timeline.flags.named.values()] == [10, 40]

    def test_added_at_the_chosen_time_and_named(self, stage: Stage, page: ReviewPage, folder: Path) -> None:
        page.seek(20.0)
        stage.press(_window(page), "m")
        editor = _table(page).findChild(QLineEdit)
        assert editor is not None
        editor.setText("pause")
        QTest.keyClick(editor, Qt.Key.Key_Return)
        QApplication.processEvents()
        assert _markers(folder) == [("10.000000", "begin"), ("20.000000", "pause"), ("40.000000", "film")]
        assert _cells(page)[1] == ["0:20.000", "pause", "in review"]
        assert len(page.timeline.flags.named) == 3

    def test_renamed_moved_and_deleted(self, page: ReviewPage, folder: Path) -> None:
        table = _table(page)
        table.item(1, 1).setText("film 1")  # type: ignore[union-attr]
        assert _markers(folder)[1] == ("40.000000", "film 1")
        table.selectRow(1)
        assert page._time_s == 40
        page.seek(5.0)
        _press(page, "Move here")
        assert _markers(folder) == [("5.000000", "film 1"), ("10.000000", "begin")]
        assert table.currentRow() == 0
        _press(page, "Delete")
        assert _markers(folder) == [("10.000000", "begin")]

    def test_one_without_a_name_is_shown(self, stage: Stage, page: ReviewPage, folder: Path) -> None:
        mark(folder, (10.0, ""))
        _window(page).reviewing.show_session(folder)
        assert _cells(page) == [["0:10.000", "", "key"]]
        assert len(page.timeline.flags.named) == 1

    def test_thousands_are_lines_until_one_zooms_in(self, page: ReviewPage, folder: Path) -> None:
        mark(folder, *[(second / 40, f"trial {second}") for second in range(40 * _SECONDS)])
        _window(page).reviewing.show_session(folder)
        assert len(_cells(page)) == 40 * _SECONDS
        assert page.timeline.flags.named == {}
        assert len(_plot(page).scene().items()) < 200
        page.seek(30.0)
        for _ in range(20):
            page.timeline.zoom(1)
        assert [flag.marker_name for flag in page.timeline.flags.named.values()][10] == "trial 1200"

    def test_one_after_the_last_row_is_flagged_at_the_end(self, page: ReviewPage, folder: Path) -> None:
        mark(folder, (70.0, "late"), (5.0, "early"))
        _window(page).reviewing.show_session(folder)
        flags = page.timeline.flags.named.values()
        assert [(flag.marker_name, flag.value()) for flag in flags] == [("early", 5), ("late", 60)]

    def test_flag_is_dragged(self, page: ReviewPage, folder: Path) -> None:
        viewport = _plot(page).viewport()
        start, end = _place(page, 40.0), _place(page, 50.0)
        QTest.mouseMove(viewport, start)
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, 11):
            QTest.mouseMove(viewport, start + (end - start) * step / 10)
            QApplication.processEvents()
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)
        (time_s, name) = _markers(folder)[1]
        assert name == "film"
        assert float(time_s) == pytest.approx(50, abs=0.5)

    def test_del_deletes_the_chosen_one(self, page: ReviewPage, folder: Path) -> None:
        _table(page).setFocus()
        QTest.keyClick(_table(page), Qt.Key.Key_Delete)
        assert len(_markers(folder)) == 2
        _table(page).selectRow(0)
        QTest.keyClick(_table(page), Qt.Key.Key_Delete)
        assert _markers(folder) == [("40.000000", "film")]

    def test_name_that_is_being_typed_is_kept_when_the_page_is_left(
        self, stage: Stage, page: ReviewPage, folder: Path
    ) -> None:
        stage.press(_window(page), "m")
        editor = _table(page).findChild(QLineEdit)
        assert editor is not None
        editor.setText("pause")
        _window(page).toolbar.start.trigger()
        stage.wait(lambda: shows(_window(page), _window(page).live))
        assert _markers(folder)[0] == ("0.000000", "pause")

    def test_changes_are_taken_back_one_after_the_other(self, stage: Stage, page: ReviewPage, folder: Path) -> None:
        window = _window(page)
        _table(page).item(1, 1).setText("film 1")  # type: ignore[union-attr]
        _table(page).setFocus()
        _table(page).selectRow(0)
        QTest.keyClick(_table(page), Qt.Key.Key_Delete)
        page.edits.add()
        editor = _table(page).findChild(QLineEdit)
        assert editor is not None
        QTest.keyClick(editor, Qt.Key.Key_Escape)
        assert len(_markers(folder)) == 2
        for expected in (1, 2, 2, 2):
            QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
            assert len(_markers(folder)) == len(_cells(page)) == expected
        assert [name for _, name in _markers(folder)] == ["begin", "film"]
        window.show_keys()
        assert "Ctrl+Z: take the last change of a marker back" in visible_text(window.banner)

    def test_what_cannot_be_saved_is_said_and_shown_as_it_is(
        self, page: ReviewPage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(path: Path, content: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("fer_live.files.replace_file", fail)
        _table(page).item(0, 1).setText("other")  # type: ignore[union-attr]
        assert "markers.csv' cannot be written" in _window(page).banner.text()
        assert _cells(page)[0][1] == "begin"
        assert _markers(folder)[0][1] == "begin"


def _write_video(folder: Path) -> None:
    """Brightness tells the second."""
    encoding = {"crf": "20", "preset": "ultrafast", "g": "30"}
    layout = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    video = Mp4File(folder / VIDEO_MP4, 160, 120, encoding, layout)
    for second in range(_SECONDS):
        video.write(np.full((120, 160, 3), 4 * second, np.uint8), float(second))
    video.close()


class TestVideo:
    def test_still_follows_the_cursor_with_the_boxes_of_its_frame(
        self, stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _write_video(folder)
        window = stage.open("0")
        window.reviewing.show_session(folder)
        page = window.reviewing.page
        assert page is not None
        for time_s, faces in ((12.5, [1, 2]), (25.5, [1]), (3.5, [1, 2])):
            page.seek(time_s)
            assert page.view._shown is not None
            frame, shown = page.view._shown
            assert isinstance(frame, Frame)
            assert frame.image.mean() == pytest.approx(4 * int(time_s), abs=6)
            assert [track.face_id for track in shown.tracks] == faces
        assert_nothing_clipped(window)
        window.reviewing.page.view.face_clicked.emit(2)
        assert "smoothed: Fear" in visible_text(page)

    def test_video_that_cannot_be_read_is_said_and_all_else_is_there(self, stage: Stage, folder: Path) -> None:
        (folder / VIDEO_MP4).write_text("no video")
        window = stage.open("0")
        window.reviewing.show_session(folder)
        page = window.reviewing.page
        assert page is not None
        assert "cannot be read as a video" in window.banner.text()
        assert not page.view.isVisible()
        assert "smoothed: Happy" in visible_text(page)

    def test_without_a_video_there_is_no_black_square(self, page: ReviewPage) -> None:
        assert not page.view.isVisible()


class TestReport:
    def test_is_written_and_opened(
        self, page: ReviewPage, folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
        _press(page, "Report")
        assert _window(page).banner.text() == "Writing the report…"
        stage.wait(lambda: opened == [str(folder / "report.html")])
        assert "begin" in (folder / "report.html").read_text()
        assert "Saved" in _window(page).banner.text()

    def test_that_cannot_be_written_is_said(self, page: ReviewPage, folder: Path, stage: Stage) -> None:
        (folder / "report.html").mkdir()
        _press(page, "Report")
        stage.wait(lambda: "report.html' cannot be written" in _window(page).banner.text())

    def test_can_be_cancelled(self, page: ReviewPage, folder: Path) -> None:
        _press(page, "Report")
        _press(_window(page).banner, "Cancel")
        assert not _window(page).banner.isVisible()
        assert not (folder / "report.html").exists()

    def test_a_program_that_does_not_start_is_said(
        self, page: ReviewPage, stage: Stage, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
    ) -> None:
        monkeypatch.setattr(sys, "executable", "/no such python")
        _press(page, "Report")
        stage.wait(lambda: "The report could not be written." in _window(page).banner.text())
        assert logged_warnings == ["WARNING fer_live.ui.review_page: the report ended with code 0: "]
        logged_warnings.clear()


class TestDeleting:
    def test_asks_and_then_deletes_all_of_it(
        self, stage: Stage, page: ReviewPage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def answer(
            parent: QWidget, title: str, text: str, buttons: object, by_enter: QMessageBox.StandardButton
        ) -> QMessageBox.StandardButton:
            assert by_enter == QMessageBox.StandardButton.No
            asked.append(text)
            return QMessageBox.StandardButton.No if len(asked) == 1 else QMessageBox.StandardButton.Yes

        monkeypatch.setattr(QMessageBox, "question", answer)
        _press(page, "Delete…")
        assert folder.is_dir()
        assert f"'{folder}' with all 3 files" in asked[0]
        _press(page, "Delete…")
        assert not folder.exists()
        assert folder.parent.is_dir()
        window = _window(page)
        assert not shows(window, page)
        assert f"Deleted {folder}" in window.banner.text()

    def test_what_is_no_session_any_more_stays(
        self, page: ReviewPage, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
        (folder / "session.json").unlink()
        _press(page, "Delete…")
        assert "is not a session's folder any more" in _window(page).banner.text()
        assert (folder / "frames.csv").is_file()
        assert shows(_window(page), page)


def test_tab_leaves_the_table(page: ReviewPage) -> None:
    QApplication.setActiveWindow(page.window())
    table = _table(page)
    table.setFocus()
    table.selectRow(0)
    QTest.keyClick(table, Qt.Key.Key_Tab)
    focused = page.focusWidget()
    assert isinstance(focused, QPushButton)
    assert focused.text() == "Add"


def test_every_control_has_a_name_and_a_tooltip(page: ReviewPage) -> None:
    for widget in (*page.findChildren(QAbstractButton), *page.findChildren(QComboBox)):
        if isinstance(widget.parent(), QTableWidget):
            continue
        name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
        assert name, widget
        assert widget.toolTip(), name
    for part in (page.timeline, page.moment, _table(page), page.view):
        assert part.accessibleName()
