"""What the window says of a recording whose disk gets full, and what it asks before something else ends one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QMessageBox, QPushButton, QSpinBox

from fer_live.config import RecordingConfig
from fer_live.errors import RecordError
from fer_live.record.recorder import Recorder
from fer_live.record.session import SessionWriter
from fer_live.ui.banner import COLOURS, Tone
from fer_live.ui.bridge import SlotBridge
from fer_live.ui.main_window import MainWindow
from fer_live.ui.settings_dialog import SettingsDialog
from tests.gui.conftest import Stage, assert_nothing_clipped, shows


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.disk.LOOK_S", 0.05)


def _record(stage: Stage, settings: RecordingConfig) -> MainWindow:
    stage.config = stage.config.model_copy(update={"recording": settings})
    window = stage.run()
    window.toolbar.record.trigger()
    return window


def _is_in(window: MainWindow, tone: Tone) -> bool:
    return COLOURS[tone][0] in window.banner.styleSheet()


def test_little_space_is_a_warning_that_comes_once(stage: Stage) -> None:
    window = _record(stage, RecordingConfig(warn_below_mb=1_000_000, stop_below_mb=0))
    stage.wait(lambda: "MB left. Free some space" in window.banner.text())
    assert _is_in(window, Tone.WARNING)
    assert_nothing_clipped(window)
    assert window.controller.recorder is not None
    for button in window.banner.findChildren(QPushButton):
        button.click()
    session = window.controller.session
    assert session is not None
    frames = session.status().frames
    stage.wait(lambda: session.status().frames > frames + 20)
    assert window.banner.text() == ""


def test_second_warning_hides_the_first_only_until_it_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    window = _record(stage, RecordingConfig(warn_below_mb=1_000_000, stop_below_mb=0, video=True))
    stage.wait(lambda: "MB left" in window.banner.text())

    def fail(*_: object) -> None:
        raise RecordError("'video.mp4' cannot be written (No space left on device).", "Free some space.")

    monkeypatch.setattr("fer_live.record.mp4.Mp4File.write", fail)
    stage.wait(lambda: "video.mp4" in window.banner.text())
    assert_nothing_clipped(window)
    window.banner.close_newest()
    assert "MB left" in window.banner.text()


def test_picture_that_fails_at_the_very_end_is_told_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RecordError("'video.mp4' cannot be written (No space left on device).", "Free some space.")

    monkeypatch.setattr("fer_live.record.mp4.Mp4File.close", fail)
    window = _record(stage, RecordingConfig(warn_below_mb=0, stop_below_mb=0, video=True))
    window.toolbar.record.trigger()
    stage.wait(lambda: "video.mp4" in window.banner.text())


def test_no_space_ends_the_recording_and_not_the_picture(stage: Stage) -> None:
    window = _record(stage, RecordingConfig(stop_below_mb=1_000_000))
    stage.wait(lambda: "so nothing more is recorded" in window.banner.text())
    assert _is_in(window, Tone.ERROR)
    assert_nothing_clipped(window)
    stage.wait(lambda: window.controller.recorder is None)
    session = window.controller.session
    assert session is not None
    frames = session.status().frames
    stage.wait(lambda: session.status().frames > frames + 20)


def _change_width(window: MainWindow, folder: Path) -> None:
    window.configuring.edit()


def _choose_another_camera(window: MainWindow, folder: Path) -> None:
    window.toolbar.picker.setCurrentIndex(1)
    window.toolbar.picker.activated.emit(1)


def _open_a_session(window: MainWindow, folder: Path) -> None:
    window.reviewing.show_session(folder)


def _press_space(window: MainWindow, folder: Path) -> None:
    QTest.keyClicks(window, " ")


def _press_stop(window: MainWindow, folder: Path) -> None:
    window.toolbar.start.trigger()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Questions, of which the first is answered with No and all others with Yes."""
    asked: list[str] = []

    def answer(
        parent: object, title: str, text: str, buttons: object, by_enter: QMessageBox.StandardButton
    ) -> QMessageBox.StandardButton:
        assert by_enter == QMessageBox.StandardButton.No
        asked.append(text)
        return QMessageBox.StandardButton.No if len(asked) == 1 else QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", answer)
    return asked


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings dialog, in which the user asks for wider and wider pictures."""

    def edit(dialog: SettingsDialog) -> int:
        (width,) = (each for each in dialog.findChildren(QSpinBox) if each.accessibleName() == "width")
        width.setValue(width.value() + 100)
        dialog.accept()
        return int(dialog.result())

    monkeypatch.setattr(SettingsDialog, "exec", edit)


@pytest.mark.parametrize("end", [_change_width, _choose_another_camera, _open_a_session, _press_space, _press_stop])
def test_what_would_end_a_recording_asks_first(
    end: Callable[[MainWindow, Path], None], stage: Stage, asked: list[str], wider: None
) -> None:
    window = _record(stage, RecordingConfig())
    stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
    (folder,) = stage.recordings.iterdir()
    recorded: list[Recorder] = []
    window.controller.recorded.connect(recorded.append)
    end(window, folder)
    assert "A recording is going on. Finish it and" in asked[0]
    assert window.controller._stop_asked_at is None
    assert window.controller.recorder is not None
    assert window.toolbar.picker.currentText() == "Fake camera"
    assert shows(window, window.live)
    end(window, folder)
    stage.wait(lambda: recorded)
    assert recorded[0].error is None
    assert len(asked) == 2


def test_question_goes_with_a_recording_that_goes_on(stage: Stage) -> None:
    window = _record(stage, RecordingConfig())
    stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
    given, seen = stage.device.given, []

    def press_again() -> None:
        """As a user who has Space pressed twice, once the camera has given some more frames."""
        question = QApplication.activeModalWidget()
        if stage.device.given > given + 20 and question is not None:
            seen.append(window.controller.recorder is not None)
            QTest.keyClick(question.focusWidget(), Qt.Key.Key_Space)

    timer = QTimer()
    timer.timeout.connect(press_again)
    timer.start(20)
    QTest.keyClicks(window, " ")
    timer.stop()
    assert seen == [True]
    assert window.controller.recorder is not None


def test_settings_that_hold_at_once_end_no_recording(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def edit(dialog: SettingsDialog) -> int:
        (space,) = (each for each in dialog.findChildren(QSpinBox) if each.accessibleName() == "warn below mb")
        space.setValue(1)
        dialog.accept()
        return int(dialog.result())

    monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))
    monkeypatch.setattr(SettingsDialog, "exec", edit)
    window = _record(stage, RecordingConfig())
    window.configuring.edit()
    assert window.config.recording.warn_below_mb == 1
    assert window.controller._stop_asked_at is None
    assert window.controller.recorder is not None


def test_recording_that_a_slow_disk_finishes_late_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, logged_warnings: list[str]
) -> None:
    is_quick = Event()
    close = SessionWriter.close
    monkeypatch.setattr(SessionWriter, "close", lambda writer, *state: (is_quick.wait(20), close(writer, *state))[1])
    for module in ("fer_live.pipeline.live", "fer_live.ui.controller"):
        monkeypatch.setattr(f"{module}.STOP_TIMEOUT_S", 0.1)
    window = _record(stage, RecordingConfig())
    stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
    window.toolbar.record.trigger()
    window.toolbar.start.trigger()
    stage.wait(lambda: window.controller.session is None)
    assert "Recorded" not in window.banner.text()
    is_quick.set()
    stage.wait(lambda: "Recorded" in window.banner.text())
    stage.wait(lambda: not window.controller._timer.isActive())
    assert all("did not end in time" in warning for warning in logged_warnings)
    logged_warnings.clear()


def test_sessions_leave_nothing_behind(stage: Stage) -> None:
    window = stage.run()
    for _ in range(3):
        window.running.toggle()
        stage.wait(lambda: window.controller.session is None)
        window.running.toggle()
        stage.wait(lambda: shows(window, window.live))
    assert len(window.controller.findChildren(SlotBridge)) == 1


def test_folder_that_cannot_be_opened_is_said(stage: Stage) -> None:
    stage.recordings.write_text("a file where the folder should be")
    window = stage.run()
    (action,) = (each for each in window.actions() if each.text() == "Open recordings")
    action.trigger()
    assert "recordings' cannot be made" in window.banner.text()
