"""The window on an offscreen screen, on fakes instead of cameras and networks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QSettings
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from fer_live.backends.backend import Backend
from fer_live.capture.listing import CameraEntry
from fer_live.capture.opening import LiveSource
from fer_live.capture.source import Source
from fer_live.config import Config
from fer_live.detect.finder import FaceFinder
from fer_live.outlets.opening import make_outlets
from fer_live.pipeline.live import LiveSession
from fer_live.ui.elided_label import ElidedLabel
from fer_live.ui.main_window import MainWindow
from tests.fakes import Act, CodeFinder, FakeDevice, TableBackend

# Set before the application is made: these tests never need a screen.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

WAIT_MS = 20_000


class Stage:
    """The window and what it runs on; all of it can be changed before start."""

    def __init__(self, qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = FakeDevice(rate_hz=50)
        self.open_source: Callable[[], Source] = self.device.open
        self.is_device = True
        self.open_finder: Callable[[], FaceFinder] = CodeFinder
        self.open_backend: Callable[[], Backend] = TableBackend
        self.cameras = [CameraEntry(0, "Fake camera"), CameraEntry(2, "Other camera")]
        self.sources: list[str] = []
        self.recordings = folder / "recordings"
        self.config = Config(record_dir=str(self.recordings))
        self.config_path: Path | None = None
        self.settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        self.settings.setValue("notice_seen", True)
        self._qtbot = qtbot
        self._windows: list[MainWindow] = []
        monkeypatch.setattr("fer_live.pipeline.headless.live_session", self._session)
        monkeypatch.setattr("fer_live.capture.listing.list_cameras", lambda: self.cameras)

    def _session(self, text: str, config: Config) -> LiveSession:
        self.sources.append(text)
        source = LiveSource("fake", self.open_source, self.is_device)
        return LiveSession(config, source, self.open_finder, self.open_backend, outlets=make_outlets(config))

    def show(self, source: str | None = None) -> MainWindow:
        """A window that has just been shown."""
        window = MainWindow(self.config, self.settings, source, config_path=self.config_path)
        self._windows.append(window)
        window.show()
        self._qtbot.waitExposed(window)
        return window

    def open(self, source: str | None = None) -> MainWindow:
        """A window that knows what it can start on, as soon after the start of the app."""
        window = self.show(source)
        self.wait(window.toolbar.picker.count)
        return window

    def run(self) -> MainWindow:
        """A window with a running session."""
        window = self.open("0")
        self.wait(lambda: shows(window, window.live) and window.live.timeline is not None)
        return window

    def wait(self, is_so: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(is_so()), timeout=WAIT_MS)

    def press(self, window: MainWindow, key: str) -> None:
        """A key of the keyboard, to whatever has the focus."""
        QTest.keyClicks(window.focusWidget() or window, key)

    def close(self) -> None:
        self.device.act = Act.UNPLUGGED
        for window in self._windows:
            window.controller.shut_down()
            window.close()
            window.deleteLater()
        QApplication.sendPostedEvents(None, 0)


@pytest.fixture
def stage(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    stage = Stage(qtbot, tmp_path, monkeypatch)
    yield stage
    stage.close()


def shows(window: MainWindow, page: QWidget) -> bool:
    return window.pages.currentWidget() is page


def visible_text(window: QWidget) -> str:
    """All words on labels and buttons that can be seen, and those of the status line."""
    widgets = [*window.findChildren(QLabel), *window.findChildren(QAbstractButton)]
    words = "\n".join(widget.text() for widget in widgets if widget.isVisible() and widget.text())
    return words.replace("\N{NO-BREAK SPACE}", " ")


def assert_nothing_clipped(window: QWidget) -> None:
    """Every visible label and button has the room that it asks for."""
    QApplication.processEvents()
    # A text that has just changed asks for its room with an event of its own.
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
    for widget in [*window.findChildren(QLabel), *window.findChildren(QAbstractButton)]:
        if not widget.isVisible() or not widget.text():
            continue
        wanted = widget.sizeHint()
        if isinstance(widget, ElidedLabel):
            assert widget.height() >= wanted.height(), f"'{widget.text()}' is cut off below"
        elif isinstance(widget, QLabel) and widget.wordWrap():
            assert widget.height() >= widget.heightForWidth(widget.width()), f"'{widget.text()}' is cut off below"
        else:
            assert widget.width() >= wanted.width(), f"'{widget.text()}' is cut off at its end"
            assert widget.height() >= wanted.height(), f"'{widget.text()}' is cut off below"
        corner = widget.mapTo(window, widget.rect().bottomRight())
        assert window.rect().contains(corner), f"'{widget.text()}' reaches out of the window"
