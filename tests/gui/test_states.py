"""Each state of the window: what can be read in it, and that nothing is cut off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from fer_live.backends.backend import Backend
from fer_live.capture.camera import CameraMode, CameraRefused
from fer_live.config import Config
from fer_live.core.structs import Faces, Frame
from fer_live.errors import BackendError
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.elided_label import ElidedLabel
from fer_live.ui.main_window import MainWindow
from tests.fakes import Act, CodeFinder, FakeCamera, PictureCamera, TableBackend, coded_picture
from tests.gui.conftest import Stage, assert_nothing_clipped, shows, visible_text
from tests.unit.review.conftest import result, session_in


def _button(window: MainWindow, title: str) -> QPushButton:
    (found,) = (each for each in window.findChildren(QPushButton) if each.text() == title and each.isVisible())
    return found


def _looks_right(window: MainWindow, *words: str) -> None:
    text = visible_text(window)
    for word in words:
        assert word in text, f"'{word}' is not to be seen in:\n{text}"
    assert_nothing_clipped(window)


def test_notice_comes_before_any_camera(stage: Stage) -> None:
    stage.settings.setValue("notice_seen", False)
    window = stage.open()
    _looks_right(window, "Before you start", "An expression is not a feeling", "AI Act", "I understand")
    stage.press(window, " ")
    window.toolbar.start.trigger()
    window.toolbar.picker.activated.emit(1)
    assert stage.sources == []
    _button(window, "I understand").click()
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["2"]
    assert stage.settings.value("notice_seen", type=bool)


def test_notice_comes_back_until_it_is_read(stage: Stage, tmp_path: Path) -> None:
    stage.settings.setValue("notice_seen", False)
    window = stage.open("0")
    window.reviewing.show_session(tmp_path)
    assert "Before you start" in visible_text(window)
    window.reviewing.show_session(session_in(tmp_path, result(0, 0.0), result(1, 1.0)))
    assert "Before you start" not in visible_text(window)
    stage.press(window, "\x1b")
    assert "Before you start" in visible_text(window)
    assert stage.sources == []
    _button(window, "I understand").click()
    stage.wait(lambda: shows(window, window.live))


def test_no_camera(stage: Stage) -> None:
    stage.cameras.clear()
    window = stage.open()
    _looks_right(window, "No camera found", "Plug one in", "Use camera", "Open video…", "Demo")
    assert window.toolbar.picker.currentText() == ""
    assert window.toolbar.picker.placeholderText() == "No camera"
    assert stage.sources == []
    _button(window, "Demo").click()
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["demo"]


def test_camera_that_was_plugged_in_meanwhile(stage: Stage) -> None:
    camera = stage.cameras.pop(0)
    stage.cameras.clear()
    window = stage.open()
    stage.cameras.append(camera)
    _button(window, "Use camera").click()
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["0"]


def test_ready(stage: Stage) -> None:
    window = stage.run()
    stage.press(window, " ")
    stage.wait(lambda: shows(window, window.welcome))
    _looks_right(window, "Ready", "Press Space or Start", "Start", "Use camera", "Open video…", "Demo")
    assert not window.toolbar.record.isEnabled()
    assert not window.toolbar.snapshot.isEnabled()


def test_starting(stage: Stage) -> None:
    is_loaded = threading.Event()

    def load() -> Backend:
        is_loaded.wait(20)
        return TableBackend()

    stage.open_backend = load
    window = stage.open("0")
    stage.wait(lambda: stage.device.given > 3)
    _looks_right(window, "Starting…", "Opening Fake camera", "Stop")
    assert window.banner.text() == ""
    assert not window.toolbar.record.isEnabled()
    is_loaded.set()
    stage.wait(lambda: shows(window, window.live))


def test_running(stage: Stage) -> None:
    window = stage.run()
    stage.wait(lambda: "Hz · age" in visible_text(window))
    stage.wait(lambda: "Face 1" in visible_text(window))
    _looks_right(window, "Stop", "Record", "Snapshot", "dropped", "160x120", "table on memory", "px · ")
    assert window.banner.text() == ""
    assert window.toolbar.record.isEnabled()


def test_running_without_a_face(stage: Stage) -> None:
    stage.open_finder = _NoFinder
    window = stage.run()
    _looks_right(window, "No face", "Stop", "Record")


class _NoFinder(CodeFinder):
    def find(self, frame: Frame) -> Faces:
        return Faces.none()


def test_uncertain(stage: Stage) -> None:
    stage.config = Config(record_dir=str(stage.recordings)).model_copy(
        update={"tracking": stage.config.tracking.model_copy(update={"uncertain_below": 0.9})}
    )
    window = stage.run()
    stage.wait(lambda: "uncertain" in visible_text(window))
    _looks_right(window, "Face 1", "uncertain")


class _OtherMode(FakeCamera):
    asked = CameraMode(1280, 720, 30)
    mode = CameraMode(160, 120, 30)


def test_mode_that_is_not_the_one_asked_for(stage: Stage) -> None:
    stage.open_source = lambda: _OtherMode(stage.device)
    window = stage.run()
    stage.wait(lambda: "asked" in window.status_line.text())
    _looks_right(window, "asked 1280x720 at 30 Hz, got 160x120 at 30 Hz")


def test_stalled_with_countdown(stage: Stage) -> None:
    window = stage.run()
    stage.device.act = Act.UNPLUGGED
    stage.wait(lambda: "Trying again in 1 s." in window.banner.text())
    _looks_right(window, "The fake camera is unplugged. Plug it in.", "Stop")
    assert shows(window, window.live)
    buttons = window.banner.findChildren(QPushButton)
    stage.wait(lambda: "Trying again in 2 s." in window.banner.text())
    assert window.banner.findChildren(QPushButton) == buttons
    stage.device.act = Act.LIVE
    stage.wait(lambda: window.banner.text() == "")
    assert shows(window, window.live)


def test_stalled_without_a_picture(stage: Stage) -> None:
    window = stage.run()
    stage.device.act = Act.SILENT
    stage.wait(lambda: window.banner.text())
    _looks_right(window, "No picture comes from the camera.")


def test_ended(stage: Stage) -> None:
    stage.is_device = False
    stage.open_source = lambda: PictureCamera([coded_picture(number) for number in range(5)])
    window = stage.open("0")
    stage.wait(lambda: "The video has ended." in window.banner.text())
    stage.wait(lambda: shows(window, window.welcome))
    _looks_right(window, "The video has ended.", "Ready", "Start")


def test_failed_says_what_to_do(stage: Stage) -> None:
    def fail() -> Backend:
        raise BackendError("No backend can run here.", "See `fer-live backends`.")

    stage.open_backend = fail
    window = stage.open("0")
    stage.wait(lambda: window.banner.text())
    stage.wait(lambda: window.controller.session is None)
    _looks_right(window, "No backend can run here. See `fer-live backends`.", "Try again", "Copy details", "Ready")
    _button(window, "Copy details").click()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert "BackendError: No backend can run here." in clipboard.text()
    stage.open_backend = TableBackend
    _button(window, "Try again").click()
    stage.wait(lambda: shows(window, window.live))
    assert window.banner.text() == ""


def test_camera_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = CameraRefused("The system does not let this program use the camera.", "Allow it in the settings.")
    monkeypatch.setattr("fer_live.capture.permission.request_camera", lambda source, on_answer: on_answer(refusal))
    window = stage.open("0")
    stage.wait(lambda: window.banner.text())
    _looks_right(window, "does not let this program use the camera", "Allow it in the settings.", "Try again")
    assert shows(window, window.welcome)


def test_started_again_before_the_system_answers_is_started_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Callable[[CameraRefused | None], None]] = []
    monkeypatch.setattr(
        "fer_live.capture.permission.request_camera", lambda source, on_answer: answers.append(on_answer)
    )
    window = stage.open("0")
    stage.wait(lambda: answers)
    stage.press(window, " ")
    for answer in answers:
        answer(None)
    stage.wait(lambda: shows(window, window.live))
    assert (len(answers), stage.sources) == (2, ["0"])


def test_answer_after_closing_starts_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Callable[[CameraRefused | None], None]] = []
    monkeypatch.setattr(
        "fer_live.capture.permission.request_camera", lambda source, on_answer: answers.append(on_answer)
    )
    window = stage.open("0")
    stage.wait(lambda: answers)
    window.close()
    answers[0](None)
    assert window.controller.session is None
    assert stage.sources == []


def test_bug_of_a_stage_is_failed_too(stage: Stage, logged_warnings: list[str]) -> None:
    stage.open_finder = _BrokenFinder
    window = stage.open("0")
    stage.wait(lambda: window.banner.text())
    _looks_right(window, "FER Live made a mistake (ZeroDivisionError('a bug')). Details are in the log folder.")
    assert "the analysis stage failed" in logged_warnings.pop()


class _BrokenFinder(CodeFinder):
    def find(self, frame: Frame) -> Faces:
        raise ZeroDivisionError("a bug")


def test_recording(stage: Stage) -> None:
    window = stage.run()
    stage.press(window, "r")
    stage.wait(lambda: "REC 00:0" in window.status_line.text())
    _looks_right(window, "Stop recording", "REC 00:0")
    stage.press(window, "r")
    stage.wait(lambda: "Recorded" in window.banner.text())
    (folder,) = stage.recordings.iterdir()
    _looks_right(window, f"Recorded {folder}", "Show", "Record")
    assert "REC" not in window.status_line.text()


def test_recording_that_failed_is_told_until_it_is_closed(stage: Stage) -> None:
    stage.recordings.write_text("a file where the folder should be")
    window = stage.run()
    stage.press(window, "r")
    stage.wait(lambda: window.banner.text())
    _looks_right(window, "cannot be made", "Close")
    assert window.toolbar.record.text() == "Record"
    given = stage.device.given
    stage.wait(lambda: stage.device.given > given + 20)
    assert "cannot be made" in window.banner.text()
    _button(window, "Close").click()
    assert window.banner.text() == ""
    assert shows(window, window.live)


def test_failure_while_recording_says_both(stage: Stage) -> None:
    backend = TableBackend()
    stage.open_backend = lambda: backend
    window = stage.run()
    stage.press(window, "r")
    stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
    backend.close()
    stage.wait(lambda: "Recorded" in window.banner.text())
    _looks_right(window, "The backend is closed.", "Recorded", "Try again")


def test_keys(stage: Stage) -> None:
    window = stage.run()
    window.show_keys()
    _looks_right(window, "Space: start or stop", "R: record", "[ ]: previous or next face", "Ctrl+,: settings", "Close")
    given = stage.device.given
    stage.wait(lambda: stage.device.given > given + 20)
    assert "Space: start or stop" in visible_text(window.banner)


@pytest.fixture
def banner(qtbot: QtBot) -> Banner:
    banner = Banner()
    qtbot.addWidget(banner)
    return banner


def _titles(banner: Banner) -> list[str]:
    QApplication.processEvents()
    return [each.text() for each in banner.findChildren(QPushButton) if each.isVisible()]


def test_news_stand_beside_what_is_not_closed_yet(banner: Banner) -> None:
    banner.show_message("The disk is nearly full.", Tone.WARNING, Until.CLOSED)
    for number in (1, 2):
        banner.show_news(f"Marker {number}")
    assert banner.text() == "The disk is nearly full.\nMarker 2"
    banner._expiry.timeout.emit()
    assert banner.text() == "The disk is nearly full."
    banner.show_news("Marker 3")
    banner.findChildren(QPushButton)[0].click()
    assert banner.text() == "Marker 3"
    banner._expiry.timeout.emit()
    assert banner.text() == ""


def test_what_is_going_on_hides_nothing_for_good(banner: Banner) -> None:
    banner.show_message("The outlet failed.", Tone.WARNING, Until.CLOSED)
    banner.show_message("Trying again in 2 s.", Tone.WARNING, Until.OVER, [("Stop", lambda: None)])
    banner.show_news("Recorded it.")
    banner.show_message("Trying again in 1 s.", Tone.WARNING, Until.OVER, [("Stop", lambda: None)])
    assert (banner.text(), _titles(banner)) == ("Trying again in 1 s.\nRecorded it.", ["Stop"])
    banner.end_state()
    assert (banner.text(), _titles(banner)) == ("The outlet failed.\nRecorded it.", ["Close"])


def test_messages_that_are_not_closed_yet_hide_none_before_them(banner: Banner) -> None:
    for text in ("The outlet failed.", "The disk is nearly full.", "The outlet failed.", "There is no picture."):
        banner.show_message(text, Tone.WARNING, Until.CLOSED)
    told = []
    while banner.text():
        told.append(banner.text())
        QApplication.processEvents()
        (button,) = (each for each in banner.findChildren(QPushButton) if each.isVisible())
        button.click()
    assert told == ["There is no picture.", "The outlet failed.", "The disk is nearly full."]


def test_names_in_a_message_are_no_markup(banner: Banner) -> None:
    banner.show_news("Marker '<i></i><i></i><i></i>M'")
    marked = banner.sizeHint().width()
    banner.show_news("Marker 'M'")
    assert marked > 1.2 * banner.sizeHint().width()


def test_buttons_of_a_message_belong_to_it(qtbot: QtBot) -> None:
    banner, pressed = Banner(), []
    qtbot.addWidget(banner)
    banner.show()
    for number in (1, 2):
        banner.show_news(f"Recorded {number}", [("Show", lambda number=number: pressed.append(number))])
    QApplication.processEvents()
    (button,) = (each for each in banner.findChildren(QPushButton) if each.isVisible())
    button.click()
    assert pressed == [2]


@pytest.mark.parametrize("mode", [Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideMiddle])
def test_text_without_room_is_seen_to_go_on(mode: Qt.TextElideMode, qtbot: QtBot) -> None:
    elided, usual = ElidedLabel(mode), QLabel()
    text = "29.8 Hz · MobileViT-XXS on ONNX Runtime CPU"
    elided.setText(text)
    for label in (elided, usual):
        qtbot.addWidget(label)
        label.resize(150, 20)
    usual.setText(usual.fontMetrics().elidedText(text, mode, 150))
    assert "…" in usual.text()
    assert elided.grab().toImage() == usual.grab().toImage()
    elided.resize(elided.sizeHint())
    usual.setText(text)
    usual.resize(elided.sizeHint())
    assert elided.grab().toImage() == usual.grab().toImage()
