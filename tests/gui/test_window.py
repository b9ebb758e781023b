"""What the window does when it is used."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pytest
from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtGui import QColor, QImage, QKeyEvent, QPalette
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QSpinBox,
    QTabBar,
    QWidget,
)

from fer_live.config import Config, RecordingConfig, default_config_path, load_config, save_config
from fer_live.core.overlay import contrast, relative_luminance
from fer_live.core.structs import Faces, Frame
from fer_live.ui.banner import COLOURS
from fer_live.ui.settings_dialog import SettingsDialog
from fer_live.ui.video_view import VideoView
from tests.fakes import Act, CodeFinder, TableBackend, coded_picture, faces_at, left_of
from tests.gui.conftest import Stage, assert_nothing_clipped, shows, visible_text

_LEFT, _RIGHT = (10.0, 40.0, 70.0, 100.0), (90.0, 50.0, 140.0, 100.0)


class _TwoFaces(CodeFinder):
    """One large face on the left and a smaller one on the right, of which either may be away."""

    boxes: tuple[tuple[float, float, float, float], ...] = (_LEFT, _RIGHT)

    def find(self, frame: Frame) -> Faces:
        return faces_at(*self.boxes)


@pytest.fixture
def finder(stage: Stage) -> _TwoFaces:
    finder = _TwoFaces()
    stage.open_finder = lambda: finder
    return finder


def _session(stage: Stage) -> dict:
    (folder,) = (each for each in stage.recordings.iterdir() if each.is_dir())
    facts: dict = json.loads((folder / "session.json").read_text())
    return facts


class TestKeys:
    def test_space_starts_and_stops(self, stage: Stage) -> None:
        window = stage.run()
        stage.press(window, " ")
        stage.wait(lambda: window.controller.session is None)
        assert window.toolbar.start.text() == "Start"
        stage.press(window, " ")
        stage.wait(lambda: shows(window, window.live))
        assert window.toolbar.start.text() == "Stop"

    def test_key_that_is_held_down_counts_once(self, stage: Stage) -> None:
        window = stage.run()
        for is_held in (False, True, True):
            event = QEvent.Type.KeyPress
            QApplication.sendEvent(window, QKeyEvent(event, Qt.Key.Key_R, Qt.KeyboardModifier.NoModifier, "r", is_held))
        assert window.controller.recorder is not None
        for is_held in (False, True):
            QApplication.sendEvent(window, QKeyEvent(event, Qt.Key.Key_H, Qt.KeyboardModifier.NoModifier, "h", is_held))
        assert not window.toolbar.mirror.isChecked()

    def test_h_mirrors(self, stage: Stage) -> None:
        window = stage.run()
        assert window.toolbar.mirror.isChecked()
        stage.press(window, "h")
        assert not window.toolbar.mirror.isChecked()

    def test_s_saves_a_snapshot(self, stage: Stage) -> None:
        window = stage.run()
        stage.press(window, "s")
        (path,) = stage.recordings.glob("snapshot_*.png")
        image = QImage(str(path))
        assert (image.width(), image.height()) == (160, 120)
        assert f"Saved {path}" in visible_text(window)

    def test_f_shows_the_picture_alone(self, stage: Stage) -> None:
        window = stage.run()
        stage.press(window, "f")
        assert window.isFullScreen()
        assert visible_text(window) == ""
        assert window.live.timeline is not None
        assert not window.live.timeline.isVisible()
        QTest.keyClick(window, Qt.Key.Key_Escape)
        assert not window.isFullScreen()
        assert "Record" in visible_text(window)

    def test_brackets_choose_a_face(self, stage: Stage, finder: _TwoFaces) -> None:
        window = stage.run()
        stage.wait(lambda: "Face 1" in visible_text(window))
        for key, face in (("]", 2), ("]", 1), ("[", 2), ("[", 1)):
            stage.press(window, key)
            stage.wait(lambda face=face: f"Face {face}" in visible_text(window))

    def test_keys_do_nothing_while_text_is_typed(self, stage: Stage, finder: _TwoFaces) -> None:
        window = stage.run()
        field = QLineEdit(window)
        field.show()
        field.setFocus()
        QTest.keyClicks(field, " rshf][")
        assert field.text() == " rshf]["
        assert window.controller.session is not None
        assert window.controller.recorder is None
        assert window.toolbar.mirror.isChecked()
        assert not window.isFullScreen()
        assert not stage.recordings.exists()

    def test_keys_reach_the_window_after_a_click_on_anything(self, stage: Stage) -> None:
        window = stage.run()
        for widget in (window.live.view, window.toolbar.picker, window.live.face_panel):
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
            if widget is window.toolbar.picker:
                window.toolbar.picker.hidePopup()
            before = window.toolbar.mirror.isChecked()
            stage.press(window, "h")
            assert window.toolbar.mirror.isChecked() != before

    def test_record_before_the_first_frame_does_nothing(self, stage: Stage) -> None:
        stage.cameras.clear()
        window = stage.open()
        for key in "rs":
            stage.press(window, key)
        assert not stage.recordings.exists()


class TestFaces:
    def test_largest_is_selected_until_one_is_clicked(self, stage: Stage, finder: _TwoFaces) -> None:
        window = stage.run()
        stage.wait(lambda: "Face 1" in visible_text(window))
        window.toolbar.mirror.trigger()
        _click(window.live.view, 115, 75)
        stage.wait(lambda: "Face 2" in visible_text(window))
        finder.boxes = (_RIGHT, _LEFT)
        given = stage.device.given
        stage.wait(lambda: stage.device.given > given + 10)
        assert window.live.selection.face_id == 2

    def test_click_hits_what_is_seen_in_the_mirror(self, stage: Stage, finder: _TwoFaces) -> None:
        window = stage.run()
        stage.wait(lambda: "Face 1" in visible_text(window))
        _click(window.live.view, 160 - 115, 75)
        stage.wait(lambda: "Face 2" in visible_text(window))

    def test_selected_face_that_leaves_gives_way(self, stage: Stage, finder: _TwoFaces) -> None:
        window = stage.run()
        stage.wait(lambda: "Face 1" in visible_text(window))
        finder.boxes = (_RIGHT,)
        stage.wait(lambda: "Face 2" in visible_text(window))
        finder.boxes = ()
        stage.wait(lambda: "No face" in visible_text(window))


def _click(view: VideoView, x: float, y: float) -> None:
    """Clicks on a point of a 160x120 picture, in its px."""
    scale = min(view.width() / 160, view.height() / 120)
    left, top = (view.width() - 160 * scale) / 2, (view.height() - 120 * scale) / 2
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(left + x * scale), round(top + y * scale)))


class TestPicture:
    def test_picture_and_box_are_of_the_same_frame(self, stage: Stage) -> None:
        window = stage.run()
        shown: list[tuple[int, int, float]] = []
        window.controller.analysed.connect(
            lambda frame, result: shown.append(
                (frame.index, result.frame_index, left_of(frame.image) - float(result.tracks[0].box[0]))
            )
        )
        stage.wait(lambda: len(shown) > 30)
        assert all(picture == result and offset == 0 for picture, result, offset in shown)

    def test_what_is_on_the_screen_is_of_one_frame(self, stage: Stage) -> None:
        window = stage.run()
        window.toolbar.mirror.trigger()
        view = window.live.view
        for _ in range(5):
            given = stage.device.given
            stage.wait(lambda given=given: stage.device.given > given + 5)
            image = view.snapshot()
            assert image is not None
            pixels = _pixels(image)
            number = int((pixels[1, 4:128:8, 0] > 127) @ (1 << np.arange(16)))
            left = left_of(coded_picture(number))
            sides = [x for x in range(1, 100) if (pixels[50:80, x] != 128).all()]
            assert {left, left + 48} & {*sides, *(side + 1 for side in sides)} != set(), "box and picture differ"

    def test_nothing_is_painted_without_a_new_frame(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        paints, results = [0], [0]
        paint = VideoView.paintEvent

        def count(view: VideoView, event: object) -> None:
            paints[0] += 1
            paint(view, event)  # type: ignore[arg-type]

        monkeypatch.setattr(VideoView, "paintEvent", count)
        window = stage.run()
        window.controller.analysed.connect(lambda *_: results.__setitem__(0, results[0] + 1))
        stage.wait(lambda: results[0] > 3)
        QApplication.processEvents()
        paints[0] = results[0] = 0
        stage.wait(lambda: results[0] > 30)
        assert 0 < paints[0] <= results[0] + 1
        stage.device.act = Act.SILENT
        stage.wait(lambda: window.banner.text())
        QApplication.processEvents()
        paints[0] = 0
        polls: list[object] = []
        window.controller.status_changed.connect(polls.append)
        stage.wait(lambda: len(polls) > 5)
        assert paints[0] == 0

    def test_nothing_is_drawn_around_the_picture(self, stage: Stage, finder: _TwoFaces) -> None:
        finder.boxes = ((-60, 20, 40, 100), (120, 30, 220, 110))
        window = stage.run()
        view = window.live.view
        stage.wait(lambda: "Face 1" in visible_text(window))
        pixels = _pixels(view.grab().toImage())
        scale = min(view.width() / 160, view.height() / 120)
        wide, high = int((view.width() - 160 * scale) / 2), int((view.height() - 120 * scale) / 2)
        assert max(wide, high) > 5
        around = pixels.astype(int)
        around[high : view.height() - high, wide : view.width() - wide] = 16
        assert (around == 16).all()

    def test_lost_picture_is_dimmed(self, stage: Stage) -> None:
        window = stage.run()
        view = window.live.view
        bright = _pixels(view.grab().toImage()).mean()
        stage.device.act = Act.UNPLUGGED
        stage.wait(lambda: window.banner.text())
        assert _pixels(view.grab().toImage()).mean() < 0.6 * bright
        assert _pixels(view.snapshot()).mean() > 100

    def test_mirror_turns_the_picture_on_the_screen(self, stage: Stage) -> None:
        window = stage.run()
        code, beyond = slice(0, 128), slice(128, 160)
        for is_mirrored in (True, False):
            assert window.toolbar.mirror.isChecked() == is_mirrored
            line = _pixels(window.live.view.snapshot())[1, :: -1 if is_mirrored else 1, 0]
            assert set(line[code]) <= {0, 255}
            assert set(line[beyond]) == {128}
            window.toolbar.mirror.trigger()

    def test_mirror_turns_nothing_that_is_recorded(self, stage: Stage) -> None:
        window = stage.run()
        assert window.toolbar.mirror.isChecked()
        stage.press(window, "r")
        given = stage.device.given
        stage.wait(lambda: stage.device.given > given + 20)
        stage.press(window, "r")
        stage.wait(lambda: "Recorded" in window.banner.text())
        (path,) = stage.recordings.glob("*/frames.csv")
        assert pd.read_csv(path).x.dropna().between(0, 20).all()


def _pixels(image: QImage | None) -> np.ndarray:
    """uint8 (H, W, 3) RGB."""
    assert image is not None
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    pointer = image.constBits()
    assert pointer is not None
    rows = np.frombuffer(pointer.asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


class TestClosing:
    def test_while_recording_asks_once_and_closes_the_session(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def answer(button: QMessageBox.StandardButton):  # type: ignore[no-untyped-def]
            def question(parent: QWidget, title: str, text: str, *buttons: object) -> QMessageBox.StandardButton:
                asked.append(text)
                return button

            return question

        window = stage.run()
        stage.press(window, "r")
        stage.wait(lambda: list(stage.recordings.glob("*/session.json")))
        monkeypatch.setattr(QMessageBox, "question", answer(QMessageBox.StandardButton.No))
        window.close()
        assert window.isVisible()
        assert _session(stage)["state"] == "recording"
        monkeypatch.setattr(QMessageBox, "question", answer(QMessageBox.StandardButton.Yes))
        window.close()
        assert not window.isVisible()
        assert len(asked) == 2
        assert "recording is going on" in asked[0]
        assert _session(stage)["state"] == "closed"

    def test_without_recording_asks_nothing(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(QMessageBox, "question", lambda *_: pytest.fail("asked"))
        window = stage.run()
        window.close()
        assert not window.isVisible()
        assert window.controller.session is None

    def test_window_remembers_itself(self, stage: Stage) -> None:
        window = stage.open("2")
        window.resize(720, 540)
        window.toolbar.mirror.trigger()
        window.close()
        again = stage.open()
        assert (again.width(), again.height()) == (720, 540)
        assert not again.toolbar.mirror.isChecked()
        stage.wait(lambda: stage.sources == ["2", "2"])
        assert again.toolbar.picker.currentText() == "Other camera"

    def test_full_screen_is_not_remembered(self, stage: Stage) -> None:
        window = stage.run()
        stage.press(window, "f")
        window.close()
        again = stage.open()
        assert not again.isFullScreen()

    def test_address_with_a_password_is_not_remembered(self, stage: Stage) -> None:
        window = stage.open("rtsp://user:secret@host/live")
        assert window.toolbar.picker.currentText() == "rtsp://host/live"
        stage.wait(lambda: stage.sources)
        window.close()
        stage.settings.sync()
        assert "secret" not in Path(stage.settings.fileName()).read_text()


class TestSources:
    def test_other_source_while_running(self, stage: Stage) -> None:
        window = stage.run()
        window.toolbar.picker.activated.emit(1)
        stage.wait(lambda: stage.sources == ["0", "2"])
        stage.wait(lambda: shows(window, window.live))
        assert window.toolbar.picker.currentText() == "Other camera"

    def test_stop_during_a_change_stops(self, stage: Stage) -> None:
        window = stage.run()
        window.toolbar.picker.activated.emit(1)
        window.running.toggle()
        stage.wait(lambda: window.controller.session is None)
        assert stage.sources == ["0"]
        assert shows(window, window.welcome)

    def test_video_is_opened(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/videos/clip.mp4", ""))
        window = stage.open("0")
        stage.wait(lambda: stage.sources)
        window.asking.video()
        stage.wait(lambda: stage.sources == ["0", "/videos/clip.mp4"])
        assert window.toolbar.picker.currentText() == "clip.mp4"

    def test_stream_is_opened_and_shown_without_its_password(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stage.cameras.clear()
        window = stage.open()
        monkeypatch.setattr(QInputDialog, "getText", lambda *_: (" rtsp://user:secret@host/live ", True))
        window.asking.stream()
        stage.wait(lambda: shows(window, window.live))
        assert stage.sources == ["rtsp://user:secret@host/live"]
        assert "secret" not in visible_text(window) + window.toolbar.picker.currentText()

    def test_wrong_address_is_said(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        stage.cameras.clear()
        window = stage.open()
        monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("rtsp://user:sec/ret@host/live", True))
        window.asking.stream()
        assert "address is not valid" in window.banner.text()
        assert stage.sources == []


class TestSettings:
    def test_round_trip_and_saved_file(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        window = stage.run()

        def edit(dialog: SettingsDialog) -> int:
            assert_nothing_clipped(dialog)
            _editor(dialog, "min score", QDoubleSpinBox).setValue(0.75)
            _editor(dialog, "width", QSpinBox).setValue(1280)
            _editor(dialog, "model", QComboBox).setCurrentText("resnet18")
            dialog.accept()
            return int(dialog.result())

        monkeypatch.setattr(SettingsDialog, "exec", edit)
        window.configuring.edit()
        saved = tomllib.loads(default_config_path().read_text())
        assert saved["finder"] == {"min_score": 0.75}
        assert saved["camera"] == {"width": 1280}
        assert load_config() == window.config.model_copy(update={"record_dir": ""})
        stage.wait(lambda: len(stage.sources) == 2)

    def test_what_is_set_for_once_is_not_saved(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        save_config(load_config(None, ["model=mobilevit_xxs", "tracking.min_iou=0.3"]))
        stage.config = load_config(None, [f"record_dir={stage.recordings}", "finder.min_score=0.6", "model=resnet18"])
        window = stage.run()
        window.recording.settings_changed.emit(RecordingConfig(video=True))
        _change(monkeypatch, "max missed ms", 500)
        window.configuring.edit()
        saved = tomllib.loads(default_config_path().read_text())
        assert saved == {"model": "mobilevit_xxs", "tracking": {"min_iou": 0.3, "max_missed_ms": 500}}
        now = window.config
        assert (now.finder.min_score, now.model, now.recording.video) == (0.6, "resnet18", True)
        assert now.tracking.max_missed_ms == 500

    def test_file_that_was_named_is_the_one_that_changes(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        stage.config_path = tmp_path / "study.toml"
        stage.config_path.write_text("[tracking]\nmin_iou = 0.3\n")
        window = stage.run()
        _change(monkeypatch, "max missed ms", 500)
        window.configuring.edit()
        assert tomllib.loads(stage.config_path.read_text()) == {"tracking": {"min_iou": 0.3, "max_missed_ms": 500}}
        assert not default_config_path().exists()

    def test_settings_file_that_was_broken_meanwhile_is_said_and_kept(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        window = stage.run()
        default_config_path().parent.mkdir(parents=True, exist_ok=True)
        default_config_path().write_text("model = ")
        _change(monkeypatch, "max missed ms", 500)
        window.configuring.edit()
        assert "not valid TOML" in window.banner.text()
        assert default_config_path().read_text() == "model = "

    def test_nothing_changed_starts_nothing_again(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        window = stage.run()
        monkeypatch.setattr(SettingsDialog, "exec", lambda dialog: (dialog.accept(), dialog.result())[1])
        session = window.controller.session
        window.configuring.edit()
        assert window.controller._stop_asked_at is None
        assert window.controller.session is session
        assert not default_config_path().exists()

    def test_values_finer_than_an_editor_shows_stay(self, qtbot) -> None:  # type: ignore[no-untyped-def]
        values = ("quality.min_sharpness=0.08255", "tracking.min_iou=0.004", "quality.max_turn=0.005")
        config = load_config(None, values)
        dialog = SettingsDialog(config)
        qtbot.addWidget(dialog)
        _editor(dialog, "max missed ms", QDoubleSpinBox).setValue(500)
        dialog.accept()
        assert dialog.config.quality == config.quality
        assert dialog.config.tracking.min_iou == 0.004

    def test_unchanged_settings_stay_as_they_are(self, qtbot) -> None:  # type: ignore[no-untyped-def]
        config = load_config(None, ["finder.min_score=0.333", "camera.rate_hz=29.97", "model=other.onnx"])
        dialog = SettingsDialog(config)
        qtbot.addWidget(dialog)
        dialog.accept()
        assert dialog.config == config

    def test_settings_that_do_not_fit_together_are_said(self, qtbot) -> None:  # type: ignore[no-untyped-def]
        dialog = SettingsDialog(Config())
        qtbot.addWidget(dialog)
        dialog.show()
        _editor(dialog, "uncertain below", QDoubleSpinBox).setValue(0.95)
        dialog.accept()
        assert dialog.isVisible()
        assert "hysteresis must stay below 1" in visible_text(dialog)
        assert dialog.config == Config()

    def test_cancel_changes_nothing(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        window = stage.run()
        monkeypatch.setattr(SettingsDialog, "exec", lambda dialog: 0)
        window.configuring.edit()
        assert window.config == stage.config
        assert not default_config_path().exists()
        assert stage.sources == ["0"]

    def test_folder_that_cannot_be_written_is_said(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        default_config_path().parent.parent.mkdir(parents=True, exist_ok=True)
        default_config_path().parent.write_text("a file where the folder should be")
        window = stage.run()
        _change(monkeypatch, "max missed ms", 500)
        window.configuring.edit()
        assert "cannot be written" in window.banner.text()


def _change(monkeypatch: pytest.MonkeyPatch, name: str, value: float) -> None:
    """Has the user change one setting."""

    def edit(dialog: SettingsDialog) -> int:
        _editor(dialog, name, QDoubleSpinBox).setValue(value)
        dialog.accept()
        return int(dialog.result())

    monkeypatch.setattr(SettingsDialog, "exec", edit)


def _editor(dialog: SettingsDialog, name: str, kind: type) -> QWidget:
    (found,) = (each for each in dialog.findChildren(kind) if each.accessibleName() == name)
    return found


def test_snapshot_that_cannot_be_written_is_said(stage: Stage) -> None:
    stage.recordings.write_text("a file where the folder should be")
    window = stage.run()
    stage.press(window, "s")
    assert "cannot be written" in visible_text(window)


def test_every_control_has_a_name_and_a_tooltip(stage: Stage) -> None:
    window = stage.run()
    window.show_keys()
    dialog = SettingsDialog(window.config, window)
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
    nameless = []
    for top in (window, dialog):
        for widget in (each for kind in kinds for each in top.findChildren(kind)):
            is_part = isinstance(widget.parent(), QComboBox | QAbstractSpinBox | QDialogButtonBox | QTabBar)
            if is_part or widget.objectName().startswith("qt_"):
                continue
            # Qt reads a button's text where it has no other name.
            name = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            if not name or not widget.toolTip():
                nameless.append(f"{type(widget).__name__} '{name}'")
    assert nameless == []
    for part in (window.live.view, window.live.face_panel, window.live.timeline):
        assert part is not None
        assert part.accessibleName()


def test_tab_reaches_every_control(stage: Stage) -> None:
    window = stage.run()
    QApplication.setActiveWindow(window)
    reached = set()
    for _ in range(20):
        window.focusNextChild()
        reached.add(window.focusWidget())
    buttons = {
        window.toolbar.widgetForAction(action)
        for action in (window.toolbar.start, window.toolbar.record, window.toolbar.snapshot, window.toolbar.mirror)
    }
    assert {window.toolbar.picker, window.live.view} | buttons <= reached


@pytest.mark.parametrize(("background", "text"), COLOURS.values(), ids=str)
def test_messages_are_easy_to_read(background: str, text: str) -> None:
    assert contrast(background, text) >= 4.5


def _dark() -> QPalette:
    """As a dark scheme has it."""
    return QPalette(QColor("#303030"), QColor("#202124"))


@pytest.mark.parametrize("changes", ["before", "while it runs"])
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_text_is_easy_to_read_in_both_schemes(is_dark: bool, changes: str, stage: Stage) -> None:
    before = QApplication.palette()
    try:
        if changes == "before":
            QApplication.setPalette(_dark() if is_dark else before)
        window = stage.run()
        QApplication.setPalette(_dark() if is_dark else before)
        QApplication.processEvents()
        stage.wait(lambda: "Face 1" in visible_text(window))
        stage.wait(lambda: "dropped" in window.status_line.text())
        timeline = window.live.timeline
        assert timeline is not None
        for part in (window.live.face_panel, timeline, window.status_line):
            colours = _colours(part)
            ground = part.palette().window().color().name()
            assert ground in colours
            assert (relative_luminance(ground) < 0.1) == is_dark
            assert max(contrast(colour, ground) for colour in colours) >= 4.5
    finally:
        QApplication.setPalette(before)


def _colours(widget: QWidget) -> set[str]:
    """'#rrggbb' of all pixels."""
    pixels = _pixels(widget.grab().toImage()).reshape(-1, 3)
    return {QColor(*map(int, colour)).name() for colour in np.unique(pixels, axis=0)}


@pytest.mark.parametrize("scale", [1.0, 1.8], ids=["usual", "large"])
@pytest.mark.parametrize("page", ["notice", "no camera", "running"])
def test_text_follows_the_systems_size(scale: float, page: str, stage: Stage) -> None:
    font = QApplication.font()
    large = QApplication.font()
    large.setPointSizeF(font.pointSizeF() * scale)
    QApplication.setFont(large)
    try:
        if page == "notice":
            stage.settings.setValue("notice_seen", False)
        if page == "no camera":
            stage.cameras.clear()
        window = stage.run() if page == "running" else stage.open()
        assert_nothing_clipped(window)
        assert window.live.face_panel.fontInfo().pointSizeF() == pytest.approx(large.pointSizeF(), rel=0.1)
    finally:
        QApplication.setFont(font)


class TestOverload:
    def test_slow_network_never_holds_the_window(self, stage: Stage) -> None:
        stage.open_backend = _SlowBackend
        window = stage.run()
        frames: list[int] = []
        window.controller.analysed.connect(lambda frame, result: frames.append(stage.device.given - frame.index))
        stage.wait(lambda: len(frames) > 8)
        # A frame is given every 20 ms and analysed in 100 ms: about five are newer, never more and more.
        assert max(frames) < 15
        stage.wait(lambda: "dropped" in window.status_line.text())
        assert " 0 dropped" not in window.status_line.text()


class _SlowBackend(TableBackend):
    def infer(self, batch: np.ndarray) -> np.ndarray:
        Event().wait(0.1)
        return super().infer(batch)
