"""The picture with its overlay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.core.overlay import Caption, lay_out
from fer_live.ui.translation import label_word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fer_live.core.structs import Frame, Result

_CERTAIN_PX, _UNCERTAIN_PX, _SELECTED_PX = 2.0, 1.0, 3.0
_DIMMED = 0.35


class VideoView(QWidget):
    """Shows the newest frame, letterboxed, with a box and a caption for each face. Repaints only on a new frame.

    face_clicked(int): the id of the face that was clicked.
    """

    face_clicked = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(320, 240)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        # It paints all of itself, so that nothing below it has to be painted with every frame.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Video"))
        self._shown: tuple[Frame, Result] | None = None
        self._labels: Sequence[str] = ()
        self._selected_id: int | None = None
        self._is_mirrored = True
        self._is_dimmed = False

    def show_result(self, frame: Frame, result: Result, labels: Sequence[str], selected_id: int | None) -> None:
        """Shows a frame with its own result; labels by index of the probabilities."""
        self._shown, self._labels, self._selected_id = (frame, result), labels, selected_id
        self._is_dimmed = False
        self.update()

    def set_mirrored(self, is_mirrored: bool) -> None:
        """Shows people as in a mirror; nothing but the picture on the screen changes."""
        self._is_mirrored = is_mirrored
        self.update()

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Shows the last frame darker, while no new one comes."""
        if is_dimmed != self._is_dimmed:
            self._is_dimmed = is_dimmed
            self.update()

    def clear(self) -> None:
        """Shows nothing."""
        self._shown = None
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#101010"))
        if self._shown is None:
            return
        frame, _ = self._shown
        painter.setRenderHints(QPainter.RenderHint.SmoothPixmapTransform | QPainter.RenderHint.Antialiasing)
        scale, offset = self._placement(frame)
        painter.translate(offset)
        painter.scale(scale, scale)
        self._paint(painter, scale, _DIMMED if self._is_dimmed else 1.0)

    def snapshot(self) -> QImage | None:
        """The frame in its own size with its overlay, mirrored as it is shown, or None."""
        if self._shown is None:
            return None
        height, width = self._shown[0].image.shape[:2]
        image = QImage(width, height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, 1.0, 1.0)
        painter.end()
        return image

    def _placement(self, frame: Frame) -> tuple[float, QPointF]:
        height, width = frame.image.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        return scale, QPointF((self.width() - width * scale) / 2, (self.height() - height * scale) / 2)

    def _paint(self, painter: QPainter, scale: float, opacity: float) -> None:
        """Draws in video pixels; scale is that of the painter, so that lines and text keep their size on screen."""
        assert self._shown is not None
        frame, _ = self._shown
        # Boxes may reach over the border of the picture, but not into what is around it.
        painter.setClipRect(0, 0, frame.image.shape[1], frame.image.shape[0])
        painter.setOpacity(opacity)
        _paint_picture(painter, frame.image, self._is_mirrored)
        painter.setOpacity(1.0)
        for caption in self._captions(scale):
            is_selected = caption.face_id == self._selected_id
            width = _SELECTED_PX if is_selected else _CERTAIN_PX if caption.is_certain else _UNCERTAIN_PX
            _paint_caption(painter, caption, width, scale)

    def _captions(self, scale: float) -> tuple[Caption, ...]:
        if self._shown is None:
            return ()
        frame, result = self._shown
        metrics = QFontMetricsF(self.font())

        def measure(text: str) -> tuple[float, float]:
            return (metrics.horizontalAdvance(text) + 8) / scale, metrics.height() / scale

        height, width = frame.image.shape[:2]
        return lay_out(result.tracks, self._labels, (width, height), measure, self._is_mirrored, label_word)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is None or self._shown is None:
            return
        scale, offset = self._placement(self._shown[0])
        point = (event.position() - offset) / scale
        for caption in self._captions(scale):
            left, top, right, bottom = caption.box
            if QRectF(left, top, right - left, bottom - top).contains(point):
                self.face_clicked.emit(caption.face_id)
                return


def picture_of(pixels: NDArray[np.uint8]) -> QImage:
    """C-contiguous uint8 (H, W, 3) BGR as Qt's picture, which reads the pixels where they lie; they must outlive it."""
    height, width = pixels.shape[:2]
    stride = pixels.strides[0]
    return QImage(pixels.data, width, height, stride, QImage.Format.Format_BGR888)  # type: ignore[call-overload,no-any-return]


def _paint_picture(painter: QPainter, image: NDArray[np.uint8], is_mirrored: bool) -> None:
    pixels = image if image.flags.c_contiguous else image.copy()
    painter.save()
    if is_mirrored:
        painter.translate(pixels.shape[1], 0)
        painter.scale(-1, 1)
    # The one copy is the scaling onto the screen.
    painter.drawImage(QPointF(0, 0), picture_of(pixels))
    painter.restore()


def _paint_caption(painter: QPainter, caption: Caption, line_px: float, scale: float) -> None:
    # Not a cosmetic pen, whose width does not follow the screen's scale.
    pen = QPen(QColor(caption.colour), line_px / scale)
    pen.setStyle(Qt.PenStyle.SolidLine if caption.is_certain else Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    left, top, right, bottom = caption.box
    painter.drawRect(QRectF(left, top, right - left, bottom - top))
    left, top, right, bottom = caption.pill
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(caption.colour))
    painter.drawRoundedRect(QRectF(left, top, right - left, bottom - top), 4 / scale, 4 / scale)
    painter.setPen(QColor(caption.text_colour))
    painter.save()
    painter.translate(left, top)
    painter.scale(1 / scale, 1 / scale)
    area = QRectF(0, 0, (right - left) * scale, (bottom - top) * scale)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, caption.text)
    painter.restore()
