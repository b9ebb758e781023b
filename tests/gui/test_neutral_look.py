"""Key, button and banner of the neutral baseline."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QPushButton

from fer_live.core import baseline as core
from fer_live.pipeline import baselines
from fer_live.ui.main_window import MainWindow
from tests.fakes import CodeFinder, ScriptedFinder, TableBackend
from tests.gui.conftest import Stage, assert_nothing_clipped, visible_text


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that is soon over."""
    monkeypatch.setattr(baselines, "LOOK_S", 0.5)
    monkeypatch.setattr(core, "MIN_FRAMES", 3)


def _with_face(stage: Stage) -> MainWindow:
    window = stage.run()
    stage.wait(lambda: "Face 1" in visible_text(window))
    return window


def _click(window: MainWindow, title: str) -> None:
    button = next(each for each in window.findChildren(QPushButton) if each.text() == title and each.isVisible())
    button.click()


def test_b_counts_down_and_takes_it(stage: Stage, brief: None) -> None:
    window = _with_face(stage)
    assert "Sad" in visible_text(window)
    stage.press(window, "b")
    stage.wait(lambda: "Face 1: look neutral for 1 s" in window.banner.text())
    assert_nothing_clipped(window)
    stage.wait(lambda: "Neutral baseline of face 1 taken." in window.banner.text())
    stage.wait(lambda: "Remove neutral baseline" in visible_text(window))
    stage.wait(lambda: "Neutral" in visible_text(window).replace("Neutral baseline", ""))


def test_button_takes_and_removes_it(stage: Stage, brief: None) -> None:
    window = _with_face(stage)
    _click(window, "Take neutral baseline")
    stage.wait(lambda: "Remove neutral baseline" in visible_text(window))
    _click(window, "Remove neutral baseline")
    stage.wait(lambda: "Take neutral baseline" in visible_text(window))
    assert window.controller.session is not None
    assert not window.controller.session.baselines.has(1)


def test_it_can_be_cancelled_by_button_and_key(stage: Stage) -> None:
    window = _with_face(stage)
    assert window.controller.session is not None
    for cancel in (lambda: _click(window, "Cancel"), lambda: stage.press(window, "b")):
        stage.press(window, "b")
        stage.wait(lambda: "look neutral" in window.banner.text())
        cancel()
        assert window.controller.session.baselines.taking() is None
        stage.wait(lambda: window.banner.text() == "")


def test_face_that_leaves_is_too_little(stage: Stage, brief: None, monkeypatch: pytest.MonkeyPatch) -> None:
    window = _with_face(stage)
    monkeypatch.setattr(CodeFinder, "find", lambda self, frame: ScriptedFinder([]).find(frame))
    stage.press(window, "b")
    stage.wait(lambda: "No neutral baseline: the face was seen well in" in window.banner.text())


def test_without_a_face_nothing_happens(stage: Stage) -> None:
    stage.open_finder = lambda: ScriptedFinder([])
    window = stage.run()
    stage.press(window, "b")
    assert window.controller.session is not None
    assert window.controller.session.baselines.taking() is None
    assert "Take neutral baseline" not in visible_text(window)


def test_network_without_a_reference_is_named(stage: Stage) -> None:
    backend = TableBackend()
    backend.card = backend.card.model_copy(update={"neutral_logits": None})
    stage.open_backend = lambda: backend
    window = _with_face(stage)
    stage.press(window, "b")
    assert "model card does not say" in window.banner.text()
