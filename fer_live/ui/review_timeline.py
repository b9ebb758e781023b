"""A whole session of one face, one line a label, to zoom and pan in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor
from PyQt6.QtWidgets import QWidget

from fer_live.core.overlay import UNCERTAIN_COLOUR, colour_of
from fer_live.review.series import GAP_S, FaceSeries, Spans
from fer_live.ui.clock import clock_text
from fer_live.ui.flag import Flags
from fer_live.ui.plot import HATCHED, TOP, LabelPlot

_STRIP = (-0.17, -0.05)
"""Where the smoothed label stands, in units of the axis: below the lines."""

_SHORTEST_S = 0.5
_MARGIN = 0.01
_ZOOM_STEP = 0.7
_LINE_PX = 1
_TICK_PX = 80
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)
_LOW_QUALITY = QBrush(QColor(128, 128, 128, 90))


class ReviewTimeline(LabelPlot):
    """Lines are the probabilities of each frame alone, averaged where several share a pixel; the strip below them is
    the smoothed label. Times without the face are hatched, those of low quality grey.

    pointed(float | None): the mouse is over a time, in s, or has left. picked(float): a time was clicked.
    marker_moved(int, float): a marker's flag was dragged to a time.
    """

    pointed = pyqtSignal(object)
    picked = pyqtSignal(float)
    marker_moved = pyqtSignal(int, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_STRIP[0], _ClockAxis("bottom"), parent)
        self.setAccessibleName(self.tr("Timeline of the session"))
        self._length_s = 1.0
        self._plot.setToolTip(self.tr("Wheel or + and -: zoom · drag: pan · click: go there · drag a flag: move it"))
        self._plot.setMouseEnabled(True, False)
        self._plot.setDownsampling(auto=True, mode="mean")
        self._plot.setClipToView(True)
        self._pointer, self._cursor = pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=90)
        self._pointer.hide()
        self._plot.scene().sigMouseMoved.connect(self._point)
        self._plot.scene().sigMouseClicked.connect(self._pick)
        self.flags = Flags(self._plot, lambda marker_id, at_s: self.marker_moved.emit(marker_id, self._within(at_s)))

    def show_face(self, series: FaceSeries, labels: Sequence[str], length_s: float) -> None:
        """Draws a face of a session that is so long; the part that is seen stays as it is."""
        self._length_s = max(length_s, _SHORTEST_S)
        self._begin(labels)
        self._plot.setLimits(
            xMin=-_MARGIN * self._length_s,
            xMax=(1 + _MARGIN) * self._length_s,
            minXRange=_SHORTEST_S,
            yMin=_STRIP[0],
            yMax=TOP,
        )
        self._shade(series.absent, HATCHED)
        self._shade(series.low, _LOW_QUALITY)
        times, values = _broken(series)
        for index, label in enumerate(labels):
            line = self._add_line(label, _LINE_PX)
            line.opts["autoDownsampleFactor"] = 1.0
            line.setData(times, values[:, index], connect="finite")
            self._shade(series.shown_spans(index), QBrush(QColor(colour_of(label))), _STRIP)
        self._shade(series.shown_spans(-1), QBrush(QColor(UNCERTAIN_COLOUR), Qt.BrushStyle.Dense6Pattern), _STRIP)
        self.flags.restore()
        for line in (self._pointer, self._cursor):
            self._plot.addItem(line)
        self._take_colours()

    def show_markers(self, markers: Sequence[tuple[int, float, str]]) -> None:
        """Flags for markers: id, time in s, name; one after the last row stands at the end."""
        self.flags.show([(marker_id, min(at_s, self._length_s), name) for marker_id, at_s, name in markers])

    def show_cursor(self, time_s: float) -> None:
        """Moves the line of the chosen time there, and the view if that is needed to see it."""
        self._cursor.setValue(time_s)
        left, right = self._plot.viewRange()[0]
        if not left <= time_s <= right:
            half = (right - left) / 2
            self._plot.setXRange(time_s - half, time_s + half, padding=0)

    def show_all(self) -> None:
        """Zooms out to the whole session."""
        self._plot.setXRange(0, self._length_s, padding=_MARGIN)

    def zoom(self, steps: int) -> None:
        """Zooms in (1) or out (-1) around the chosen time, or the middle if that is not seen."""
        left, right = self._plot.viewRange()[0]
        centre = self._cursor.value() if left <= self._cursor.value() <= right else (left + right) / 2
        factor = _ZOOM_STEP**steps
        self._plot.setXRange(centre - (centre - left) * factor, centre + (right - centre) * factor, padding=0)

    def leaveEvent(self, event: QEvent | None) -> None:
        self._pointer.hide()
        self.pointed.emit(None)

    def _point(self, position: QPointF) -> None:
        time_s = self._time_at(position)
        self._pointer.setVisible(time_s is not None)
        if time_s is not None:
            self._pointer.setValue(time_s)
        self.pointed.emit(time_s)

    def _pick(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        time_s = self._time_at(event.scenePos())
        if time_s is not None and event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(time_s)

    def _time_at(self, position: QPointF) -> float | None:
        box = self._plot.getViewBox()
        if not box.sceneBoundingRect().contains(position):
            return None
        return self._within(box.mapSceneToView(position).x())

    def _within(self, time_s: float) -> float:
        return min(max(0.0, time_s), self._length_s)

    def _shade(self, spans: Spans, brush: QBrush, between: tuple[float, float] = (_STRIP[1], TOP)) -> None:
        """One item for all spans: thousands of items would make panning slow."""
        if len(spans):
            bottom, top = (np.full(len(spans), edge) for edge in between)
            self._plot.addItem(
                pg.BarGraphItem(x0=spans[:, 0], x1=spans[:, 1], y0=bottom, y1=top, brush=brush, pen=pg.mkPen(None))
            )

    def _take_colours(self) -> None:
        super()._take_colours()
        text, line_px = self.palette().text().color(), self.devicePixelRatioF()
        self._pointer.setPen(pg.mkPen(text, width=line_px))
        self._cursor.setPen(pg.mkPen(text, width=2 * line_px))
        self.flags.take_colours()


def _broken(series: FaceSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and values with a row of NaN in every gap, so that no line and no mean reaches over it."""
    gaps = np.flatnonzero(np.diff(series.times) > GAP_S) + 1
    middles = (series.times[gaps - 1] + series.times[gaps]) / 2
    return np.insert(series.times, gaps, middles), np.insert(series.values, gaps, np.nan, axis=0)


class _ClockAxis(pg.AxisItem):  # type: ignore[misc]
    """Times of a session as h:mm:ss, at steps that a clock has."""

    def tickSpacing(self, begin: float, end: float, size: float) -> list[tuple[float, float]]:
        wanted = (end - begin) * _TICK_PX / max(size, 1.0)
        return [(next((step for step in _TICKS_S if step >= wanted), _TICKS_S[-1]), 0.0)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [clock_text(value, decimals=0 if spacing >= 1 else 1) for value in values]
