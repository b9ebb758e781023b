"""A line of text that gives way."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QWidget

_LEAST_CHARS = 12


class ElidedLabel(QLabel):
    """Plain text, of which '…' stands for what has no room, so that it never widens the window."""

    def __init__(self, mode: Qt.TextElideMode, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:
        least = _LEAST_CHARS * self.fontMetrics().averageCharWidth()
        return QSize(min(least, self.sizeHint().width()), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        style, area = self.style(), self.contentsRect()
        assert style is not None
        text = self.fontMetrics().elidedText(self.text(), self._mode, area.width())
        painter = QPainter(self)
        style.drawItemText(
            painter, area, int(self.alignment()), self.palette(), self.isEnabled(), text, self.foregroundRole()
        )
