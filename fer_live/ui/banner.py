"""Messages inside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

_SHORT_MS = 5000


class Tone(StrEnum):
    """How serious a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_COLOURS = {Tone.INFO: ("#0B4F79", "#FFFFFF"), Tone.WARNING: ("#F3D27A", "#000000"), Tone.ERROR: ("#A02318", "#FFFFFF")}


class Banner(QFrame):
    """One message with buttons, above the picture; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons: list[QPushButton] = []
        self._layout = QHBoxLayout(self)
        self._layout.addWidget(self._text, stretch=1)
        self._expiry = QTimer(self)
        self._expiry.setSingleShot(True)
        self._expiry.setInterval(_SHORT_MS)
        self._expiry.timeout.connect(self.hide)
        self._shown: tuple[object, ...] = ()
        self.hide()

    def text(self) -> str:
        """The message, or '' while hidden."""
        return self._text.text() if self.isVisibleTo(self.parentWidget()) else ""

    def show_message(
        self, text: str, tone: Tone, buttons: Sequence[tuple[str, Callable[[], None]]] = (), is_short: bool = False
    ) -> None:
        """Shows a message; a short one hides itself after a few seconds."""
        self._text.setText(text)
        wanted = (tone, tuple(title for title, _ in buttons))
        if wanted != self._shown:
            self._shown = wanted
            self._rebuild(tone, buttons)
        if is_short:
            self._expiry.start()
        else:
            self._expiry.stop()
        self.show()

    def hide_unless_short(self) -> None:
        """Hides a message that was about what is over; short ones hide themselves."""
        if not self._expiry.isActive():
            self.hide()

    def _rebuild(self, tone: Tone, buttons: Sequence[tuple[str, Callable[[], None]]]) -> None:
        background, foreground = _COLOURS[tone]
        self.setStyleSheet(f"Banner {{ background: {background}; }} QLabel {{ color: {foreground}; }}")
        for button in self._buttons:
            self._layout.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        for title, action in buttons:
            button = QPushButton(title)
            button.clicked.connect(lambda checked, action=action: action())
            self._layout.addWidget(button)
            self._buttons.append(button)
