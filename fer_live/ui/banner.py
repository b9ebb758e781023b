"""Messages inside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

_SHORT_MS = 5000


class Tone(StrEnum):
    """How serious a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Until(StrEnum):
    """When a message goes: when what it tells of is over, or when the user closes it."""

    OVER = "over"
    CLOSED = "closed"


COLOURS = {Tone.INFO: ("#0B4F79", "#FFFFFF"), Tone.WARNING: ("#F3D27A", "#000000"), Tone.ERROR: ("#A02318", "#FFFFFF")}
"""Background and text."""

Button = tuple[str, Callable[[], None]]


@dataclass(frozen=True)
class _Message:
    text: str
    tone: Tone
    buttons: tuple[Button, ...]


class Banner(QFrame):
    """One message with buttons, above the picture; hidden while there is none.

    What is going on stands before what the user has not closed yet, and of that the newest before the older; each comes
    back when it is the first again. News stand beside either, or alone, for some seconds.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = QLabel()
        self._text.setWordWrap(True)
        # It quotes names, which are no markup.
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons: list[QPushButton] = []
        self._layout = QHBoxLayout(self)
        self._layout.addWidget(self._text, stretch=1)
        self._expiry = QTimer(self)
        self._expiry.setSingleShot(True)
        self._expiry.setInterval(_SHORT_MS)
        self._expiry.timeout.connect(self._end_news)
        self._state: _Message | None = None
        self._unclosed: list[_Message] = []
        self._news: _Message | None = None
        self._look: object = None
        self.hide()

    def text(self) -> str:
        """The message, or '' while hidden."""
        return "" if self.isHidden() else self._text.text()

    def show_message(self, text: str, tone: Tone, until: Until, buttons: Sequence[Button] = ()) -> None:
        """Shows a message; one that stays until it is closed gets a button for that, and stands here once."""
        if until is Until.OVER:
            self._state = _Message(text, tone, tuple(buttons))
        else:
            self._unclosed = [message for message in self._unclosed if message.text != text]
            self._unclosed.append(_Message(text, tone, (*buttons, (self.tr("Close"), self.close_newest))))
        self._show()

    def show_news(self, text: str, buttons: Sequence[Button] = ()) -> None:
        """Says for some seconds what has been done; beside another message, its buttons are left out."""
        self._news = _Message(text, Tone.INFO, tuple(buttons))
        self._expiry.start()
        self._show()

    def end_state(self) -> None:
        """Takes away a message that was about what is over now."""
        if self._state is not None:
            self._state = None
            self._show()

    def close_newest(self) -> None:
        """Takes away the newest message that stays until it is closed."""
        self._unclosed.pop()
        self._show()

    def dismiss(self) -> None:
        """Takes away all but news."""
        self._state = None
        self._unclosed.clear()
        self._show()

    def _end_news(self) -> None:
        self._news = None
        self._show()

    def _show(self) -> None:
        message = self._state or (self._unclosed[-1] if self._unclosed else self._news)
        if message is None:
            self.hide()
            return
        news = "" if self._news is None or self._news is message else f"\n{self._news.text}"
        self._text.setText(message.text + news)
        # A lost camera is reported again and again: its buttons must live long enough to be clicked.
        look = (message.tone, *(title for title, _ in message.buttons)) if message is self._state else message
        if look != self._look:
            self._look = look
            self._rebuild(message.tone, message.buttons)
        self.show()

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
