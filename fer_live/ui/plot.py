"""What the timelines have in common: a plot of probabilities over time, one line a label."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QBrush, QColor, QFontInfo
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from fer_live.core.overlay import colour_of
from fer_live.ui.translation import label_word

TOP = 1.3
"""Highest value of the axis: above 1 stand the words for the colours."""

_LEGEND_ALPHA = 200

HATCHED = QBrush(QColor(128, 128, 128, 120), Qt.BrushStyle.BDiagPattern)
"""Times in which the face was not seen."""


class LabelPlot(QWidget):
    """The plot, its legend and its colours, those of the system's light or dark scheme; subclasses draw into it."""

    def __init__(self, bottom: float, times: pg.AxisItem, parent: QWidget | None = None) -> None:
        """bottom: lowest value of the axis. times: the axis of time."""
        super().__init__(parent)
        self._plot = pg.PlotWidget(background=None, axisItems={"bottom": times})
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        self._plot.setYRange(bottom, TOP, padding=0)
        self._plot.getAxis("left").setTicks([[(0, "0 %"), (0.5, "50 %"), (1, "100 %")]])
        self._legend = self._plot.addLegend(
            offset=(1, 1), colCount=1, labelTextSize=f"{QFontInfo(self.font()).pointSizeF()}pt"
        )
        # It covers the lines of markers, but not their names.
        self._legend.layout.setContentsMargins(4, 0, 4, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)

    def setAccessibleName(self, name: str | None) -> None:
        """Also of the plot, which is what a screen reader comes to."""
        super().setAccessibleName(name)
        self._plot.setAccessibleName(name)

    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._take_colours()

    def _begin(self, labels: Sequence[str]) -> None:
        """Empties the plot for other labels."""
        self._plot.clear()
        self._legend.clear()
        self._legend.setColumnCount(len(labels))

    def _add_line(self, label: str, width_px: float) -> pg.PlotDataItem:
        """A line in the label's colour, without values yet, and its word in the legend."""
        # pyqtgraph's pens do not follow the screen's scale.
        pen = pg.mkPen(colour_of(label), width=width_px * self.devicePixelRatioF())
        line = self._plot.plot(pen=pen, name=label_word(label))
        # Drawn as a path: for segments pyqtgraph cuts a sip.array anew with each paint, and sip frees no such slice.
        line.curve.setSegmentedLineMode("off")
        return line

    def _take_colours(self) -> None:
        """Those of now, and the font, for axes and legend."""
        text = self.palette().text().color()
        self._legend.setLabelTextColor(text)
        ground = self.palette().window().color()
        ground.setAlpha(_LEGEND_ALPHA)
        self._legend.setBrush(ground)
        for _, label in self._legend.items:
            label.setText(label.text)
        self._plot.resetCachedContent()
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.setStyle(tickFont=self.font(), autoExpandTextSpace=True)
