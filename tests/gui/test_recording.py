"""What the window says of a recording whose disk gets full."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QPushButton

from fer_live.config import RecordingConfig
from fer_live.ui.banner import COLOURS, Tone
from fer_live.ui.main_window import MainWindow
from tests.gui.conftest import Stage, assert_nothing_clipped


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
