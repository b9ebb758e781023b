"""The probabilities of the selected face, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from fer_live.core.overlay import colour_of, state_text
from fer_live.ui.translation import label_word

if TYPE_CHECKING:
    from fer_live.core.structs import Track

_WIDTH_CHARS = 44
_TITLE_SCALE = 1.25


class FacePanel(QWidget):
    """Id, label and percent of the selected face, a bar a label, and how large, how long there and how good it is.

    baseline_wanted(), baseline_unwanted(): its neutral baseline is to be taken, or removed.
    """

    baseline_wanted, baseline_unwanted = pyqtSignal(), pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Selected face"))
        self.setFixedWidth(_WIDTH_CHARS * self.fontMetrics().averageCharWidth())
        self._title, self._state, self._footer = QLabel(), QLabel(), QLabel()
        self._quality, self._affect = QLabel(), QLabel()
        self._baseline = self._make_button()
        self._bars = ProbabilityBars()
        head = QHBoxLayout()
        head.addWidget(self._title, stretch=1)
        head.addWidget(self._state)
        for label in (self._title, self._state):
            enlarge(label, _TITLE_SCALE)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self._bars)
        for widget in (self._footer, self._quality, self._baseline, self._affect):
            layout.addWidget(widget)
        layout.addStretch()
        self.show_baseline(False)
        self.show_track(None, ())

    def _make_button(self) -> QPushButton:
        button = QPushButton()
        # Keys go on to the window after a click.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: (self.baseline_unwanted if self._has_baseline else self.baseline_wanted).emit())
        return button

    def show_baseline(self, is_there: bool) -> None:
        """Whether the face has a neutral baseline, which the button then removes."""
        self._has_baseline = is_there
        self._baseline.setText(self.tr("Remove neutral baseline") if is_there else self.tr("Take neutral baseline"))
        self._baseline.setToolTip(self.tr("What this face looks like at rest is taken off what is read from it (B)"))

    def show_track(self, track: Track | None, labels: Sequence[str]) -> None:
        """Shows a face as of now, or that there is none."""
        self._quality.setVisible(track is not None)
        self._baseline.setVisible(track is not None)
        if track is None:
            self._title.setText(self.tr("No face"))
            self._state.setText("")
            self._footer.setText("")
            self._affect.setText("")
            self._bars.show_values(labels, [0.0] * len(labels))
            return
        self._title.setText(self.tr("Face {id}").format(id=track.face_id))
        self._state.setText(state_text(track, labels, label_word))
        width = float(track.box[2] - track.box[0])
        self._footer.setText(self.tr("{width:.0f} px · {age:.0f} s tracked").format(width=width, age=track.age_s))
        quality = label_word(track.reason) if track.reason else self.tr("good")
        self._quality.setText(self.tr("Quality: {word}").format(word=quality))
        affect = self.tr("Valence {valence:+.2f} · arousal {arousal:+.2f}")
        self._affect.setText("" if track.affect is None else affect.format(**track.affect._asdict()))
        self._bars.show_values(labels, track.smoothed.tolist())


def enlarge(label: QLabel, scale: float) -> None:
    """Makes a label a title: bold, and larger than the system's text by a factor."""
    font = label.font()
    if font.pixelSize() > 0:
        font.setPixelSize(round(font.pixelSize() * scale))
    else:
        font.setPointSizeF(font.pointSizeF() * scale)
    font.setBold(True)
    label.setFont(font)


class ProbabilityBars(QWidget):
    """One row a label: word, bar, percent."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Probabilities"))
        self._labels: Sequence[str] = ()
        self._values: Sequence[float] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_values(self, labels: Sequence[str], values: Sequence[float]) -> None:
        if len(labels) != len(self._labels):
            self.updateGeometry()
        self._labels, self._values = labels, values
        words = (f"{label_word(label)} {100 * value:.0f} %" for label, value in zip(labels, values, strict=True))
        self.setAccessibleDescription(", ".join(words))
        self.update()

    def _row_height(self) -> float:
        return QFontMetricsF(self.font()).height() * 1.5

    def sizeHint(self) -> QSize:
        return QSize(0, round(self._row_height() * max(7, len(self._labels))))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        row = self._row_height()
        words = max((metrics.horizontalAdvance(label_word(label)) for label in self._labels), default=0) + 10
        percents = metrics.horizontalAdvance("100 %") + 6
        room = max(0.0, self.width() - words - percents)
        for index, (label, value) in enumerate(zip(self._labels, self._values, strict=True)):
            top = index * row
            painter.setPen(self.palette().text().color())
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, words, row), middle, label_word(label))
            percent = QRectF(self.width() - percents, top, percents, row)
            painter.drawText(percent, middle | Qt.AlignmentFlag.AlignRight, f"{100 * value:.0f} %")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour_of(label)))
            painter.drawRoundedRect(QRectF(words, top + row * 0.2, max(1.0, room * value), row * 0.6), 2, 2)
