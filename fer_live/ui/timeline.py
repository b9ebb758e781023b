"""The last minute of the selected face, one line a label."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QBrush, QColor, QFontInfo
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from fer_live.core.overlay import colour_of
from fer_live.core.structs import Marker, Result
from fer_live.ui.flag import Flag
from fer_live.ui.plot import take_colours
from fer_live.ui.translation import label_word

SPAN_S = 60.0
_GAP_S = 0.5
REDRAW_S = 0.2
_LINE_PX = 2
_HEADROOM = 1.3
"""Highest value of the axis: above 1 stand the words for the colours."""


class Timeline(QWidget):
    """Smoothed probabilities over the last minute; times without the face, or without a good look at it, are hatched,
    markers are flags."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Timeline of the last minute"))
        self._history: dict[int, deque[tuple[float, np.ndarray]]] = {}
        self._curves: list[pg.PlotDataItem] = []
        self._gaps: list[pg.LinearRegionItem] = []
        self._flags: list[tuple[float, Flag]] = []
        self._flag_numbers = itertools.count()
        self._drawn_at = 0.0
        self._plot = pg.PlotWidget(background=None)
        self._plot.setAccessibleName(self.accessibleName())
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setXRange(-SPAN_S, 1, padding=0)
        self._plot.setYRange(0, _HEADROOM, padding=0.02)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        times = [(-ago, self.tr("{seconds} s").format(seconds=ago)) for ago in range(10, round(SPAN_S), 10)]
        self._plot.getAxis("bottom").setTicks([[*times, (0, self.tr("now"))]])
        self._plot.getAxis("left").setTicks([[(0, "0 %"), (0.5, "50 %"), (1, "100 %")]])
        self._legend = self._plot.addLegend(
            offset=(1, 1), colCount=1, labelTextSize=f"{QFontInfo(self.font()).pointSizeF()}pt"
        )
        self._take_colours()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)

    def add(self, result: Result) -> None:
        """Remembers the faces of one frame that count, and forgets what is older than a minute."""
        now = result.captured_at
        for track in result.tracks:
            if not track.reason:
                self._history.setdefault(track.face_id, deque()).append((now, track.smoothed))
        for face_id, past in list(self._history.items()):
            while past and past[0][0] < now - SPAN_S:
                past.popleft()
            if not past:
                del self._history[face_id]

    def add_marker(self, marker: Marker) -> None:
        """Shows a marker for as long as it is within the last minute."""
        flag = Flag(marker.name, next(self._flag_numbers), self.palette())
        self._flags.append((marker.at, flag))
        self._plot.addItem(flag)
        flag.setValue(0)

    def draw(self, face_id: int | None, labels: Sequence[str], now: float) -> None:
        """Redraws, a few times a second at most, for a face and a capture time in s."""
        if now - self._drawn_at < REDRAW_S and now >= self._drawn_at:
            return
        self._drawn_at = now
        self._make_curves(labels)
        past = self._history.get(face_id, ()) if face_id is not None else ()
        times = np.array([time for time, _ in past]) - now
        values = np.array([smoothed for _, smoothed in past]).reshape(len(past), len(labels))
        breaks = np.flatnonzero(np.diff(times) > _GAP_S)
        connect = np.ones(len(times), np.int32)
        connect[breaks] = 0
        for index, curve in enumerate(self._curves):
            curve.setData(times, values[:, index], connect=connect)
        self._hatch([(times[at], times[at + 1]) for at in breaks])
        self._move_flags(now)

    def clear(self) -> None:
        """Forgets everything."""
        self._history.clear()
        self._drawn_at = 0.0
        for curve in self._curves:
            curve.setData([], [])
        self._hatch([])
        self._move_flags(math.inf)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._take_colours()

    def _take_colours(self) -> None:
        """Those of the system's light or dark scheme."""
        take_colours(self._plot, self._legend, self)
        for _, flag in self._flags:
            flag.take_colours(self.palette())

    def _make_curves(self, labels: Sequence[str]) -> None:
        if len(self._curves) == len(labels):
            return
        self._plot.clear()
        self._legend.clear()
        self._legend.setColumnCount(len(labels))
        self._curves = [
            self._plot.plot(pen=pg.mkPen(colour_of(label), width=_LINE_PX), name=label_word(label)) for label in labels
        ]

    def _move_flags(self, now: float) -> None:
        for at, flag in self._flags:
            flag.setValue(at - now)
            if at < now - SPAN_S:
                self._plot.removeItem(flag)
        self._flags = [(at, flag) for at, flag in self._flags if at >= now - SPAN_S]

    def _hatch(self, spans: Sequence[tuple[float, float]]) -> None:
        for gap in self._gaps:
            self._plot.removeItem(gap)
        brush = QBrush(QColor(128, 128, 128, 120), Qt.BrushStyle.BDiagPattern)
        self._gaps = [pg.LinearRegionItem(span, movable=False, brush=brush, pen=pg.mkPen(None)) for span in spans]
        for gap in self._gaps:
            self._plot.addItem(gap)
