"""The window while what sessions need is still being imported."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PyQt6.QtWidgets import QApplication, QPushButton

from fer_live.ui import loading, main_window
from tests.gui.conftest import Stage, shows, visible_text


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What sessions need is not there before this is set: one module more, which waits for it."""
    gate = threading.Event()
    holder = ModuleType("gate_of_this_test")
    holder.wait = gate.wait  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, holder.__name__, holder)
    (tmp_path / "slow_module.py").write_text(f"import {holder.__name__} as gate\ngate.wait(20)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(main_window, "FOR_SESSIONS", (*loading.FOR_SESSIONS, "slow_module"))
    yield gate
    gate.set()
    sys.modules.pop("slow_module", None)


def test_window_answers_while_sessions_load(stage: Stage, gate: threading.Event) -> None:
    window = stage.show()
    assert "Starting…" in visible_text(window)
    assert window.toolbar.picker.currentText() == ""
    assert window.toolbar.picker.placeholderText() == ""
    stage.press(window, "h")
    assert not window.toolbar.mirror.isChecked()
    assert stage.sources == []
    gate.set()
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["0"]
    assert window.toolbar.picker.currentText() == "Fake camera"


def test_start_that_is_wanted_earlier_is_the_only_one(stage: Stage, gate: threading.Event) -> None:
    window = stage.show("2")
    stage.press(window, " ")
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["2"]
    before = window.controller.session
    gate.set()
    stage.wait(lambda: window.loading_sessions.is_over)
    QApplication.processEvents()
    assert window.controller.session is before
    assert shows(window, window.live)


def test_notice_that_is_read_earlier_lets_it_start_later(stage: Stage, gate: threading.Event) -> None:
    stage.settings.setValue("notice_seen", False)
    window = stage.show()
    (button,) = (each for each in window.findChildren(QPushButton) if each.text() == "I understand")
    button.click()
    assert "Starting…" in visible_text(window)
    assert stage.sources == []
    gate.set()
    stage.wait(lambda: shows(window, window.live))
    assert stage.sources == ["0"]


def test_window_that_is_closed_meanwhile_starts_nothing(
    stage: Stage, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_STOP_S", 0.0)
    window = stage.show()
    window.close()
    gate.set()
    loader = next((thread for thread in threading.enumerate() if thread.name == "loading"), None)
    if loader is not None:
        loader.join(20)
    assert not window.loading_sessions.is_over
    # It could have been over, and have told so, just before.
    window.loading_sessions.is_over = True
    window.loading_sessions.loaded.emit()
    QApplication.processEvents()
    assert stage.sources == []
