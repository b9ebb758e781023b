"""Markers while a session runs, and what is said of the next recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QCheckBox, QPlainTextEdit

from fer_live.config import load_config
from fer_live.ui.main_window import MainWindow
from fer_live.ui.session_dialog import SessionDialog
from tests.fakes import Act
from tests.gui.conftest import Stage, assert_nothing_clipped, visible_text


def _record(stage: Stage, window: MainWindow, during: str) -> Path:
    """Records, presses keys meanwhile, and returns the folder."""
    stage.press(window, "r")
    stage.wait(lambda: list(stage.recordings.glob("*/frames.csv")))
    stage.press(window, during)
    given = stage.device.given
    stage.wait(lambda: stage.device.given > given + 10)
    stage.press(window, "r")
    stage.wait(lambda: "Recorded" in window.banner.text())
    (folder,) = stage.recordings.iterdir()
    return folder


def _flags(window: MainWindow) -> list[str]:
    assert window.live.timeline is not None
    return [flag.label.format for flag in window.live.timeline.flags.named.values()]


def test_keys_mark_and_the_recording_has_it(stage: Stage) -> None:
    stage.config = load_config(None, [f"record_dir={stage.recordings}", "markers.key_2=stimulus {1}"])
    window = stage.run()
    folder = _record(stage, window, "m2")
    markers = pd.read_csv(folder / "markers.csv")
    assert markers[["marker_id", "name", "origin"]].to_numpy().tolist() == [
        [1, "marker", "key"],
        [2, "stimulus {1}", "key"],
    ]
    frames = pd.read_csv(folder / "frames.csv").query("status != 'dropped'")
    for marker in markers.itertuples():
        # The marked frame itself may not have been analysed.
        assert (frames.t_mono_s[frames.frame_index <= marker.frame_index] <= marker.t_mono_s).all()
        assert (frames.t_mono_s[frames.frame_index >= marker.frame_index] >= marker.t_mono_s).all()
    assert _flags(window) == ["marker", "stimulus {{1}}"]


def test_marker_without_a_recording_is_said_to_be_lost(stage: Stage) -> None:
    window = stage.run()
    window.toolbar.marker.trigger()
    assert "Marker 'marker', which is not recorded: no recording is going on." in visible_text(window)
    assert _flags(window) == ["marker"]
    assert_nothing_clipped(window)
    stage.press(window, "r")
    stage.press(window, "5")
    assert window.banner.text() == "Marker 'marker 5'"


def test_typed_marker_keeps_the_keys_from_the_window(stage: Stage) -> None:
    window = stage.run()
    field = window.live.marker_field
    field.setFocus()
    QTest.keyClicks(field, " rm1 film r")
    assert window.controller.session is not None
    assert window.controller.recorder is None
    assert _flags(window) == []
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert _flags(window) == ["rm1 film r"]
    assert (field.text(), field.hasFocus()) == ("", False)
    stage.press(window, "h")
    assert not window.toolbar.mirror.isChecked()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_nothing_typed_is_no_marker(key: Qt.Key, stage: Stage) -> None:
    window = stage.run()
    field = window.live.marker_field
    field.setFocus()
    QTest.keyClicks(field, "given up" if key == Qt.Key.Key_Escape else "  ")
    QTest.keyClick(field, key)
    assert (_flags(window), field.text(), field.hasFocus()) == ([], "", False)


def test_key_without_a_name_marks_nothing(stage: Stage) -> None:
    stage.config = load_config(None, ["markers.key_3="])
    window = stage.run()
    stage.press(window, "34")
    assert _flags(window) == ["marker 4"]


def test_marker_of_another_program_is_shown(stage: Stage) -> None:
    window = stage.run()
    assert window.controller.session is not None
    window.controller.session.mark("from outside", "lsl")
    stage.wait(lambda: _flags(window) == ["from outside"])
    assert "from outside" in window.banner.text()


def test_nothing_to_mark_before_the_first_frame(stage: Stage) -> None:
    stage.device.act = Act.SILENT
    window = stage.open("0")
    stage.wait(lambda: window.controller.session)
    stage.press(window, "m1")
    assert window.banner.text() == ""
    assert not window.toolbar.marker.isEnabled()


def test_flags_of_one_session_are_gone_in_the_next(stage: Stage) -> None:
    window = stage.run()
    stage.press(window, "m")
    stage.press(window, " ")
    stage.wait(lambda: window.controller.session is None)
    assert _flags(window) == []
    stage.press(window, " ")
    stage.wait(lambda: window.controller.session is not None and window.controller.session.markers == [])
    assert _flags(window) == []


def test_consent_note_and_video_go_into_the_next_recording(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    window = stage.run()

    def fill(dialog: SessionDialog) -> int:
        dialog.show()
        assert_nothing_clipped(dialog)
        consent, note = dialog.findChildren(QPlainTextEdit)
        consent.setPlainText("P07 agreed to rows and video\n")
        note.setPlainText("P07, second visit")
        video, blur = dialog.findChildren(QCheckBox)
        assert not blur.isEnabled()
        video.setChecked(True)
        assert blur.isEnabled()
        dialog.accept()
        return int(dialog.result())

    monkeypatch.setattr(SessionDialog, "exec", fill)
    window.recording.edit_session()
    folder = _record(stage, window, "")
    facts = json.loads((folder / "session.json").read_text())
    assert (facts["consent"], facts["note"]) == ("P07 agreed to rows and video", "P07, second visit")
    assert facts["config"]["recording"]["video"] is True
    assert (folder / "video.mp4").stat().st_size > 0
    monkeypatch.setattr(SessionDialog, "exec", lambda dialog: 0)
    window.recording.edit_session()
    assert window.config.recording.video


def test_recording_without_notes_says_null(stage: Stage) -> None:
    window = stage.run()
    facts = json.loads((_record(stage, window, "") / "session.json").read_text())
    assert (facts["consent"], facts["note"]) == (None, None)
