"""What holds the window: log, crash hooks, signals."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from fer_live.cli import main
from fer_live.config import APP_NAME, Config
from fer_live.errors import ConfigError
from fer_live.ui import app
from fer_live.ui.app import CrashHooks, run_app, show_crash
from tests.gui.conftest import Stage


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> CrashHooks:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    hooks = CrashHooks()
    hooks.install()
    return hooks


@pytest.fixture
def dialogs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What modal dialogs said."""
    shown: list[str] = []
    monkeypatch.setattr(QMessageBox, "critical", lambda parent, title, text: shown.append(text))
    return shown


@pytest.mark.qt_no_exception_capture
def test_bug_in_a_slot_closes_the_recording_and_tells(
    stage: Stage, hooks: CrashHooks, dialogs: list[str], logged_warnings: list[str]
) -> None:
    window = stage.run()
    hooks.crashed.connect(lambda error: show_crash(error, window))
    stage.press(window, "r")
    stage.wait(lambda: list(stage.recordings.glob("*/session.json")))

    def fail() -> None:
        raise ZeroDivisionError("a bug")

    QTimer.singleShot(0, fail)
    QTimer.singleShot(0, fail)
    stage.wait(lambda: dialogs)
    stage.wait(lambda: not window.isVisible())
    (path,) = stage.recordings.glob("*/session.json")
    assert json.loads(path.read_text())["state"] == "closed"
    assert dialogs == ["FER Live made a mistake (ZeroDivisionError('a bug')). Details are in the log folder."]
    assert logged_warnings == ["CRITICAL fer_live.ui.app: uncaught"] * 2
    logged_warnings.clear()


@pytest.mark.qt_no_exception_capture
def test_bug_in_a_thread_is_told_too(
    qtbot: QtBot, hooks: CrashHooks, logged_warnings: list[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a bug")

    with qtbot.waitSignal(hooks.crashed) as signal:
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    assert isinstance(signal.args[0], ZeroDivisionError)
    assert logged_warnings.pop() == "CRITICAL fer_live.ui.app: uncaught"


def test_no_display_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match=r"no display.*fer-live record"):
        run_app(Config())


def test_settings_file_that_was_named_goes_to_the_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("model = 'mobilevit_xxs'\n")
    opened: list[object] = []
    monkeypatch.setattr(app, "run_app", lambda *arguments: opened.extend(arguments))
    monkeypatch.setattr(sys, "argv", ["fer-live", "app", "demo", "--config", str(path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code is None
    assert opened == [Config(model="mobilevit_xxs"), "demo", None, path]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """FER Live's log, whose handlers are taken away again."""
    root = logging.getLogger("fer_live")
    before, level = list(root.handlers), root.level
    yield root
    for handler in root.handlers:
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    root.setLevel(level)


def test_log_is_written_and_rotates(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_LOG_BYTES", 2000)
    app.start_log()
    for number in range(100):
        logging.getLogger("fer_live.pipeline").info("line %d of a long day", number)
    folder = platformdirs.user_log_path(APP_NAME)
    assert "line 99 of a long day" in (folder / "fer-live.log").read_text()
    assert sorted(path.name for path in folder.iterdir()) == [
        "fer-live.log",
        "fer-live.log.1",
        "fer-live.log.2",
        "fer-live.log.3",
    ]


def test_no_place_for_the_log_is_no_reason_to_stop(logged_warnings: list[str]) -> None:
    folder = platformdirs.user_log_path(APP_NAME)
    folder.parent.mkdir(parents=True)
    folder.write_text("a file where the folder should be")
    app.start_log()
    assert "there is no log" in logged_warnings.pop()
