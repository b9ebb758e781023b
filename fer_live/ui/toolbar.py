"""The row above: the source, what can be done with it, and the menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from fer_live.ui.source_picker import SourcePicker

Entry = tuple[str, str, Callable[[], None]]
"""A line of the menu: title, shortcut or '', what it runs."""


class ToolBar(QToolBar):
    """The window connects its actions; show_state keeps them true."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setWindowTitle(self.tr("Main"))
        self.setMovable(False)
        self.picker = SourcePicker()
        self.addWidget(self.picker)
        self.start, self.record, self.marker, self.snapshot, self.mirror = actions = [QAction(self) for _ in range(5)]
        self.addActions(actions)
        self.mirror.setCheckable(True)
        _entitle(self.marker, self.tr("Marker"), "M")
        _entitle(self.snapshot, self.tr("Snapshot"), "S")
        _entitle(self.mirror, self.tr("Mirror"), "H")
        self.show_state(False, False, False)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)

    def add_menu(self, entries: Sequence[Entry]) -> None:
        """Adds the menu, whose shortcuts work in the whole window, at the right end."""
        menu = self._menu(entries)
        button = QToolButton()
        button.setText(self.tr("Menu"))
        button.setToolTip(self.tr("Videos, sessions, settings, folders, keys"))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.addWidget(button)
        # A click must not take the single keys from the window.
        for each in self.findChildren(QToolButton):
            each.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def add_record_menu(self, entries: Sequence[Entry]) -> None:
        """Adds a menu to the button that records."""
        self.record.setMenu(self._menu(entries))

    def _menu(self, entries: Sequence[Entry]) -> QMenu:
        menu = QMenu(self)
        for title, shortcut, run in entries:
            action = QAction(title, self)
            action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(lambda checked, run=run: run())
            menu.addAction(action)
            self._window.addAction(action)
        return menu

    def show_state(self, has_session: bool, has_picture: bool, is_recording: bool) -> None:
        """has_session: something is started. has_picture: and there is a frame to do something with."""
        _entitle(self.start, self.tr("Stop") if has_session else self.tr("Start"), self.tr("Space"))
        _entitle(self.record, self.tr("Stop recording") if is_recording else self.tr("Record"), "R")
        self.record.setEnabled(has_picture or is_recording)
        for action in (self.marker, self.snapshot):
            action.setEnabled(has_picture)


def _entitle(action: QAction, title: str, key: str) -> None:
    action.setText(title)
    action.setToolTip(f"{title} ({key})")
