"""A marker on a timeline."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPalette

_LEVELS = (0.7, 0.5, 0.3)
"""Where names stand, as parts of the plot's height, in turn: those of markers close to each other keep clear."""

_LONGEST = 28
_FILL_ALPHA = 200


class Flag(pg.InfiniteLine):  # type: ignore[misc]
    """A dashed line with a name. number: how many flags there are before it. is_movable: the mouse may drag it."""

    def __init__(self, name: str, number: int, palette: QPalette, is_movable: bool = False) -> None:
        shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
        # pyqtgraph formats the label with the line's value.
        label = shown.replace("{", "{{").replace("}", "}}")
        place = {"position": _LEVELS[number % len(_LEVELS)]}
        super().__init__(angle=90, movable=is_movable, label=label, labelOpts=place)
        self.take_colours(palette)

    def take_colours(self, palette: QPalette) -> None:
        """Those of the window around it."""
        text, ground = palette.text().color(), palette.window().color()
        ground.setAlpha(_FILL_ALPHA)
        self.setPen(pg.mkPen(text, style=Qt.PenStyle.DashLine))
        self.setHoverPen(pg.mkPen(text, width=2))
        self.label.setColor(text)
        self.label.fill = pg.mkBrush(ground)
