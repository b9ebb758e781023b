"""What plots have in common."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtWidgets import QWidget


def take_colours(plot: pg.PlotWidget, legend: pg.LegendItem, widget: QWidget) -> None:
    """Gives axes and legend the text colour and font of a widget, in the light or dark scheme of now."""
    text = widget.palette().text().color()
    legend.setLabelTextColor(text)
    for _, label in legend.items:
        label.setText(label.text)
    plot.resetCachedContent()
    for side in ("bottom", "left"):
        axis = plot.getAxis(side)
        axis.setPen(text)
        axis.setTextPen(text)
        axis.setStyle(tickFont=widget.font(), autoExpandTextSpace=True)
