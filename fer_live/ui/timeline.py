"""The last minute of the selected face, one line a label."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainterPath
from PyQt6.QtWidgets import QGraphicsPathItem, QWidget

from fer_live.core.structs import Marker, Result
from fer_live.ui.flag import Flags
from fer_live.ui.plot import HATCHED, TOP, LabelPlot

SPAN_S = 60.0
_GAP_S = 0.5
_STEP_S = 0.05
"""Least time between two points of a line: a minute has about as many as the plot has pixels."""

REDRAW_S = 0.2
_LINE_PX = 2


class Timeline(LabelPlot):
    """Smoothed probabilities over the last minute; times without the face, or without a good look at it, are hatched,
    markers are flags."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, pg.AxisItem("bottom"), parent)
        self.setAccessibleName(self.tr("Timeline of the last minute"))
        self._history: dict[int, deque[tuple[float, np.ndarray]]] = {}
        self._curves: list[pg.PlotDataItem] = []
        self._markers: deque[tuple[int, float, str]] = deque()
        self._marker_count = 0
        self._drawn_at = 0.0
        # One item for all gaps, for as long as the plot lives: to make one a gap anew takes longer than to draw.
        self._gaps = QGraphicsPathItem()
        self._gaps.setPen(pg.mkPen(None))
        self._gaps.setBrush(HATCHED)
        self.flags = Flags(self._plot)
        self.flags.restore()
        self._plot.setXRange(-SPAN_S, 1, padding=0)
        self._plot.setMouseEnabled(False, False)
        times = [(-ago, self.tr("{seconds} s").format(seconds=ago)) for ago in range(10, round(SPAN_S), 10)]
        self._plot.getAxis("bottom").setTicks([[*times, (0, self.tr("now"))]])
        self._take_colours()

    def add(self, result: Result) -> None:
        """Remembers the faces of one frame that count, and forgets what is older than a minute."""
        now = result.captured_at
        for track in result.tracks:
            past = self._history.setdefault(track.face_id, deque())
            if not track.reason and (not past or now - past[-1][0] >= _STEP_S):
                past.append((now, track.smoothed))
        for face_id, past in list(self._history.items()):
            # The last point before the minute stays, so that its line or gap reaches into it.
            while len(past) > 1 and past[1][0] < now - SPAN_S:
                past.popleft()
            if not past or past[-1][0] < now - SPAN_S:
                del self._history[face_id]
        while self._markers and self._markers[0][1] < now - SPAN_S:
            self._markers.popleft()

    def add_marker(self, marker: Marker) -> None:
        """Shows a marker for as long as it is within the last minute."""
        self._marker_count += 1
        self._markers.append((self._marker_count, marker.at, marker.name))
        self._show_flags(marker.at)

    def draw(self, face_id: int | None, labels: Sequence[str], now: float) -> None:
        """Redraws, a few times a second at most, for a face and a capture time in s."""
        if now - self._drawn_at < REDRAW_S and now >= self._drawn_at:
            return
        self._drawn_at = now
        self._make_curves(labels)
        past = self._history.get(face_id, ()) if face_id is not None else ()
        times = np.array([time for time, _ in past]) - now
        values = np.array([smoothed for _, smoothed in past]).reshape(len(past), len(labels))
        breaks = np.flatnonzero(np.diff(times, append=0.0) > _GAP_S)
        connect = np.ones(len(times), np.int32)
        connect[breaks] = 0
        for index, curve in enumerate(self._curves):
            curve.setData(times, values[:, index], connect=connect)
        ends = np.append(times, 0.0)
        self._hatch([(ends[at], ends[at + 1]) for at in breaks])
        self._show_flags(now)

    def clear(self) -> None:
        """Forgets everything."""
        self._history.clear()
        self._drawn_at = 0.0
        for curve in self._curves:
            curve.setData([], [])
        self._hatch([])
        self._markers.clear()
        self._show_flags(0.0)

    def _take_colours(self) -> None:
        super()._take_colours()
        self.flags.take_colours()

    def _make_curves(self, labels: Sequence[str]) -> None:
        if len(self._curves) == len(labels):
            return
        self._begin(labels)
        self._curves = [self._add_line(label, _LINE_PX) for label in labels]
        self._plot.addItem(self._gaps)
        self.flags.restore()

    def _show_flags(self, now: float) -> None:
        self.flags.show([(number, at - now, name) for number, at, name in self._markers])

    def _hatch(self, spans: Sequence[tuple[float, float]]) -> None:
        path = QPainterPath()
        for begin, end in spans:
            path.addRect(QRectF(begin, 0, end - begin, TOP))
        self._gaps.setPath(path)
