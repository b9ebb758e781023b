"""Markers on a timeline: a line each, and a name as long as names can be told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPainterPath, QPalette
from PyQt6.QtWidgets import QGraphicsPathItem

_MOST = 40
"""Flags that are seen at once; of more, each of which takes milliseconds to make, there are the lines alone."""

_LEVELS = (0.66, 0.47, 0.28)
"""Where names may stand, as parts of the plot's height."""

_LONGEST = 28
_FILL_ALPHA, _LINE_ALPHA = 200, 90


class Flag(pg.InfiniteLine):  # type: ignore[misc]
    """A dashed line with a name. is_movable: the mouse may drag it. level: which of _LEVELS its name stands on."""

    def __init__(self, name: str, is_movable: bool) -> None:
        shown = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
        # pyqtgraph formats the label with the line's value.
        label = shown.replace("{", "{{").replace("}", "}}")
        super().__init__(angle=90, movable=is_movable, label=label)
        self._width = self.label.textItem.boundingRect().width()
        self.marker_name = name
        self.level = 0

    def take_colours(self, palette: QPalette, line_px: float) -> None:
        """Those of the window around it. line_px: of the screen."""
        text, ground = palette.text().color(), palette.window().color()
        ground.setAlpha(_FILL_ALPHA)
        self.setPen(pg.mkPen(text, width=line_px, style=Qt.PenStyle.DashLine))
        self.setHoverPen(pg.mkPen(text, width=2 * line_px))
        self.label.setColor(text)
        self.label.fill = pg.mkBrush(ground)

    def reach(self, left: float, right: float, width_px: float) -> tuple[float, float]:
        """From where to where its name goes, px, in a plot that shows these times: towards the middle."""
        at = (self.value() - left) / (right - left) * width_px
        return (at, at + self._width) if at < width_px / 2 else (at - self._width, at)


class Flags:
    """The markers of a plot. moved: is called with a marker's id and the time, s, to which its flag was dragged.

    named: the flags that are seen, by the marker's id, in the order of time.
    """

    def __init__(self, plot: pg.PlotWidget, moved: Callable[[int, float], None] | None = None) -> None:
        self._plot, self._moved = plot, moved
        self._markers: Sequence[tuple[int, float, str]] = ()
        self._lines = QGraphicsPathItem()
        self.named: dict[int, Flag] = {}
        box = plot.getViewBox()
        for changed in (box.sigXRangeChanged, box.sigResized):
            changed.connect(self._arrange)

    def show(self, markers: Sequence[tuple[int, float, str]]) -> None:
        """Shows these markers alone: id, time in s, name."""
        self._markers = sorted(markers, key=lambda marker: marker[1])
        self._arrange()

    def restore(self) -> None:
        """Adds to the plot again what was cleared from it."""
        for item in (self._lines, *self.named.values()):
            self._plot.addItem(item, ignoreBounds=True)

    def take_colours(self) -> None:
        """Those of the plot."""
        line = self._plot.palette().text().color()
        line.setAlpha(_LINE_ALPHA)
        self._lines.setPen(pg.mkPen(line, width=self._plot.devicePixelRatioF()))
        for flag in self.named.values():
            self._colour(flag)

    def _colour(self, flag: Flag) -> None:
        # pyqtgraph's pens do not follow the screen's scale.
        flag.take_colours(self._plot.palette(), self._plot.devicePixelRatioF())

    def _arrange(self) -> None:
        left, right = self._plot.viewRange()[0]
        seen = [marker for marker in self._markers if left <= marker[1] <= right]
        self._name(seen if len(seen) <= _MOST else [])
        self._draw_lines(at for _, at, _ in seen if len(seen) > _MOST)

    def _name(self, markers: Sequence[tuple[int, float, str]]) -> None:
        """Has these markers have flags, and no others."""
        names = {marker_id: name for marker_id, _, name in markers}
        for marker_id, flag in list(self.named.items()):
            if names.get(marker_id) != flag.marker_name:
                self._plot.removeItem(self.named.pop(marker_id))
        self.named = {number: self.named.get(number) or self._flag(number, name) for number, name in names.items()}
        for marker_id, at, _ in markers:
            self.named[marker_id].setValue(at)
        give_room(list(self.named.values()), self._plot.getViewBox())

    def _flag(self, marker_id: int, name: str) -> Flag:
        moved = self._moved
        flag = Flag(name, moved is not None)
        self._colour(flag)
        if moved is not None:
            flag.sigPositionChangeFinished.connect(lambda dragged: moved(marker_id, dragged.value()))
        self._plot.addItem(flag, ignoreBounds=True)
        return flag

    def _draw_lines(self, times: Iterable[float]) -> None:
        """One line a pixel at most."""
        path = QPainterPath()
        (left, right), (bottom, top) = self._plot.viewRange()
        pixel = (right - left) / max(1.0, self._plot.getViewBox().width())
        for at in np.unique(np.round(np.array(list(times)) / pixel)) * pixel:
            path.moveTo(at, bottom)
            path.lineTo(at, top)
        self._lines.setPath(path)


def give_room(flags: Sequence[Flag], box: pg.ViewBox) -> None:
    """Has each name stand where it covers no other, or not at all if there is no room. flags: in the order of time."""
    left, right = box.viewRange()[0]
    ends = [-math.inf] * len(_LEVELS)
    for flag in flags:
        begin, end = flag.reach(left, right, box.width())
        # No line of another runs through a name, which reaches towards the middle.
        flag.setZValue(abs(flag.value() - (left + right) / 2))
        # The level that it has, if that is free: names that change their places for nothing are hard to read.
        free = [level for level in (flag.level, *range(len(_LEVELS))) if ends[level] <= begin]
        if free:
            flag.level = free[0]
            ends[flag.level] = end
            flag.label.setPosition(_LEVELS[flag.level])
        flag.label.setVisible(bool(free))
