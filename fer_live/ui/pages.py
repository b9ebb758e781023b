"""What the window shows while there is no picture: three ways to get one, or 'Starting'."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.ui.face_panel import enlarge
from fer_live.ui.keys import printed

_WIDTH_CHARS = 88
_TITLE_SCALE = 1.5


class Page(QWidget):
    """A title, a text and a row of buttons, in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self._title, self._text = QLabel(), QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        enlarge(self._title, _TITLE_SCALE)
        middle = QWidget()
        middle.setMaximumWidth(_WIDTH_CHARS * self.fontMetrics().averageCharWidth())
        self._row = QHBoxLayout()
        column = QVBoxLayout(middle)
        column.addStretch()
        for label in (self._title, self._text):
            label.setWordWrap(True)
            column.addWidget(label)
        column.addSpacing(12)
        column.addLayout(self._row)
        column.addStretch()
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        # So much stretch that the text has its full width, as long as the window is wide enough.
        layout.addWidget(middle, 1000)
        layout.addStretch(1)

    def write(self, title: str, text: str) -> None:
        """Sets title and text."""
        self._title.setText(title)
        self._text.setText(text)

    def add_button(self, title: str, tip: str) -> QPushButton:
        """Adds one to the row."""
        button = QPushButton(title)
        button.setToolTip(tip)
        self._row.addWidget(button)
        return button


class WelcomePage(Page):
    """Shown while nothing runs: three ways to get a picture."""

    camera_wanted = pyqtSignal()
    video_wanted = pyqtSignal()
    demo_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        play = self.tr("Play a video file ({key})").format(key=printed("Ctrl+O"))
        for title, tip, signal in (
            (self.tr("Use camera"), self.tr("Start on the first camera"), self.camera_wanted),
            (self.tr("Open video…"), play, self.video_wanted),
            (self.tr("Demo"), self.tr("Start on a photograph that moves"), self.demo_wanted),
        ):
            self.add_button(title, tip).clicked.connect(signal)
        self.show_sources(True)

    def show_sources(self, has_one: bool) -> None:
        """Nothing runs. has_one: whether there is something to start on, such as a camera."""
        if has_one:
            self.write(self.tr("Ready"), self.tr("Press Space or Start to see faces labelled."))
        else:
            text = self.tr("Plug one in and press 'Use camera', open a video, or have a look at the demo.")
            self.write(self.tr("No camera found"), text)


class StartingPage(Page):
    """Shown until the first frame is labelled."""

    def __init__(self) -> None:
        super().__init__()
        self.write(self.tr("Starting…"), "")

    def show_source(self, title: str) -> None:
        """title: the source, for people."""
        text = self.tr("Opening {source} and loading the network.").format(source=title)
        self.write(self.tr("Starting…"), text)
