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


class Until(StrEnum):
    """When a message goes: when what it tells of is over, by itself after seconds, or when the user closes it."""

    OVER = "over"
    SOON = "soon"
    CLOSED = "closed"


COLOURS = {Tone.INFO: ("#0B4F79", "#FFFFFF"), Tone.WARNING: ("#F3D27A", "#000000"), Tone.ERROR: ("#A02318", "#FFFFFF")}
"""Background and text."""

Button = tuple[str, Callable[[], None]]


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
        self._tone, self._until = Tone.INFO, Until.SOON
        self._look: tuple[object, ...] = ()
        self.hide()

    def text(self) -> str:
        """The message, or '' while hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_message(self, text: str, tone: Tone, until: Until, buttons: Sequence[Button] = ()) -> None:
        """Shows a message; one that stays until it is closed gets a button for that."""
        if until is Until.CLOSED:
            buttons = [*buttons, (self.tr("Close"), self.hide)]
        self._text.setText(text)
        look = (tone, until, *(title for title, _ in buttons))
        # A lost camera is reported again and again: its buttons must live long enough to be clicked.
        if until is not Until.OVER or look != self._look:
            self._rebuild(tone, buttons)
        self._tone, self._until, self._look = tone, until, look
        if until is Until.SOON:
            self._expiry.start()
        else:
            self._expiry.stop()
        self.show()

    def show_news(self, text: str, buttons: Sequence[Button] = ()) -> None:
        """Says for some seconds what has been done; beside an error that is shown, not in its place."""
        if self._tone is Tone.ERROR and not self.isHidden():
            self._text.setText(f"{self._text.text()} {text}")
        else:
            self.show_message(text, Tone.INFO, Until.SOON, buttons)

    def end_state(self) -> None:
        """Hides a message that was about what is over now."""
        if self._until is Until.OVER:
            self.hide()

    def _rebuild(self, tone: Tone, buttons: Sequence[Button]) -> None:
        background, foreground = COLOURS[tone]
        self.setStyleSheet(f"Banner {{ background: {background}; }} QLabel {{ color: {foreground}; }}")
        for button in self._buttons:
            button.hide()
            self._layout.removeWidget(button)
            button.deleteLater()
        self._buttons = []
        for title, action in buttons:
            button = QPushButton(title)
            button.setToolTip(title)
            button.clicked.connect(lambda checked, action=action: action())
            self._layout.addWidget(button)
            self._buttons.append(button)
