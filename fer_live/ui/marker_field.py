"""Where a marker is named by hand."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLineEdit, QWidget

_LONGEST = 200


class MarkerField(QLineEdit):
    """A line of text; Enter makes a marker of it, Esc gives up. Both give the keyboard back to the window.

    text_entered(str): never empty.
    """

    text_entered = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Name of a marker"))
        self.setPlaceholderText(self.tr("Marker: type and press Enter"))
        self.setToolTip(self.tr("Enter marks the moment at which it is pressed"))
        self.setMaxLength(_LONGEST)
        self.returnPressed.connect(self._enter)

    def _enter(self) -> None:
        text = self.text().strip()
        self._leave()
        if text:
            self.text_entered.emit(text)

    def _leave(self) -> None:
        self.clear()
        window = self.window()
        assert window is not None
        window.setFocus()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)
