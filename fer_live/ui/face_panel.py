"""The probabilities of the selected face, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from fer_live.core.overlay import colour_of
from fer_live.core.structs import Track


class FacePanel(QWidget):
    """Id, label and percent of the selected face, a bar a label, and how large and how long it has been there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Selected face"))
        self._title = QLabel()
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self._title.setFont(font)
        self._bars = _Bars()
        self._footer = QLabel()
        layout = QVBoxLayout(self)
        for widget in (self._title, self._bars, self._footer):
            layout.addWidget(widget)
        layout.addStretch()
        self.show_track(None, ())

    def show_track(self, track: Track | None, labels: Sequence[str]) -> None:
        """Shows a face as of now, or that there is none."""
        if track is None:
            self._title.setText(self.tr("No face"))
            self._footer.setText("")
            self._bars.show_values(labels, ())
            return
        if track.label_index is None:
            state = self.tr("uncertain")
        else:
            label = self.tr(labels[track.label_index].capitalize())
            state = f"{label} {100 * track.smoothed[track.label_index]:.0f} %"
        self._title.setText(self.tr("Face {id}").format(id=track.face_id) + f"   {state}")
        width = float(track.box[2] - track.box[0])
        self._footer.setText(self.tr("{width:.0f} px · {age:.0f} s tracked").format(width=width, age=track.age_s))
        self._bars.show_values(labels, track.smoothed.tolist())


class _Bars(QWidget):
    """One row a label: word, bar, percent."""

    def __init__(self) -> None:
        super().__init__()
        self._labels: Sequence[str] = ()
        self._values: Sequence[float] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_values(self, labels: Sequence[str], values: Sequence[float]) -> None:
        if len(labels) != len(self._labels):
            self.updateGeometry()
        self._labels, self._values = labels, values
        words = (f"{self._word(label)} {100 * value:.0f} %" for label, value in zip(labels, values, strict=False))
        self.setAccessibleDescription(", ".join(words))
        self.update()

    def _word(self, label: str) -> str:
        # The labels of FER2013, as the translator must see them:
        # self.tr("Angry") self.tr("Disgust") self.tr("Fear") self.tr("Happy") self.tr("Sad") self.tr("Surprise")
        # self.tr("Neutral")
        return self.tr(label.capitalize())

    def sizeHint(self) -> QSize:
        return QSize(280, round(max(7, len(self._labels)) * self._row_height()))

    def _row_height(self) -> float:
        return QFontMetricsF(self.font()).height() * 1.5

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetricsF(self.font())
        row = self._row_height()
        words = max((metrics.horizontalAdvance(self._word(label)) for label in self._labels), default=0) + 10
        percents = metrics.horizontalAdvance("100 %") + 6
        room = max(0.0, self.width() - words - percents)
        for index, (label, value) in enumerate(zip(self._labels, self._values, strict=False)):
            top = index * row
            painter.setPen(self.palette().text().color())
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, words, row), middle, self._word(label))
            percent = QRectF(self.width() - percents, top, percents, row)
            painter.drawText(percent, middle | Qt.AlignmentFlag.AlignRight, f"{100 * value:.0f} %")
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour_of(label)))
            painter.drawRoundedRect(QRectF(words, top + row * 0.2, max(1.0, room * value), row * 0.6), 2, 2)
