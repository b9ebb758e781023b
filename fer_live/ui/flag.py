"""A marker on a timeline."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

_LABEL_AT = 0.7
"""Where the name stands, as a part of the plot's height: below the words for the colours."""


class Flag(pg.InfiniteLine):
    """A dashed line with a name. is_movable: the mouse may drag it."""

    def __init__(self, name: str, colour: QColor, is_movable: bool = False) -> None:
        super().__init__(
            angle=90,
            movable=is_movable,
            label=name.replace("{", "{{").replace("}", "}}"),
            labelOpts={"position": _LABEL_AT, "rotateAxis": (1, 0), "anchors": [(0, 1), (0, 1)]},
        )
        self.take_colour(colour)

    def take_colour(self, colour: QColor) -> None:
        """That of the text around it."""
        self.setPen(pg.mkPen(colour, style=Qt.PenStyle.DashLine))
        self.label.setColor(colour)
