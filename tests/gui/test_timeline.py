"""The last minute as the timeline draws it: lines, gaps, and no memory left behind."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from pyqtgraph import PlotWidget
from pytestqt.qtbot import QtBot

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Marker, Result, Track
from fer_live.ui.timeline import REDRAW_S, SPAN_S, Timeline

_RATE_HZ = 30
_BOX = np.array([0, 0, 50, 50], np.float32)


def _track(at: float, reason: str = "") -> Track:
    values = 1 + np.sin(at + np.arange(len(FER2013_LABELS)))
    values = (values / values.sum()).astype(np.float32)
    return Track(1, _BOX, 0.9, values, values, label_index=0, hits=1, age_s=0.0, reason=reason)


@pytest.fixture
def timeline(qtbot: QtBot) -> Timeline:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(800, 160)
    timeline.show()
    return timeline


class _Live:
    """Frames from 0 s on; is_seen and reason say of a time, in s, how the face is."""

    def __init__(
        self,
        timeline: Timeline,
        is_seen: Callable[[float], bool] = lambda at: True,
        reason: Callable[[float], str] = lambda at: "",
    ) -> None:
        self._timeline, self._is_seen, self._reason = timeline, is_seen, reason
        self._index = 0

    def go_on(self, seconds: float, is_painted: bool = False) -> None:
        for _ in range(round(seconds * _RATE_HZ)):
            # As cameras are: no frame is quite as long as the one before it.
            at = (self._index + 0.3 * (self._index % 3)) / _RATE_HZ
            tracks = (_track(at, self._reason(at)),) if self._is_seen(at) else ()
            self._timeline.add(Result(self._index, at, at, tracks))
            if self._index % round(REDRAW_S * _RATE_HZ) == 0:
                self._timeline.draw(1, FER2013_LABELS, at)
                if is_painted:
                    self._timeline.grab()
            self._index += 1


def _gaps(timeline: Timeline) -> list[tuple[float, float]]:
    """Begin and end of what is hatched, s before now."""
    rectangles = [polygon.boundingRect() for polygon in timeline._gaps.path().toSubpathPolygons()]
    return [(rectangle.left(), rectangle.right()) for rectangle in rectangles]


def test_redrawing_leaves_no_memory_behind(timeline: Timeline) -> None:
    live = _Live(timeline)
    redraws = 100
    live.go_on(SPAN_S)
    live.go_on(redraws * REDRAW_S, is_painted=True)  # Caches fill.
    gc.collect()
    before = sys.getallocatedblocks()
    live.go_on(redraws * REDRAW_S, is_painted=True)
    gc.collect()
    # Seven lines: a block each a redraw was too much.
    assert sys.getallocatedblocks() - before < 2 * redraws


def test_many_gaps_are_one_item(timeline: Timeline) -> None:
    live = _Live(timeline, lambda at: at < 5 or at % 3 >= 1)
    live.go_on(4)
    items = len(timeline._plot.scene().items())
    live.go_on(60)
    assert len(_gaps(timeline)) > 15
    assert len(timeline._plot.scene().items()) == items


def test_time_without_the_face_is_hatched(timeline: Timeline) -> None:
    _Live(timeline, lambda at: not 10 < at < 14).go_on(20.01)
    assert _gaps(timeline) == [pytest.approx((-10, -6), abs=0.5)]


def test_time_without_a_good_look_is_hatched_while_it_lasts(timeline: Timeline) -> None:
    _Live(timeline, reason=lambda at: "turned" if at > 15 else "").go_on(20.01)
    assert _gaps(timeline) == [pytest.approx((-5, 0), abs=0.5)]


def test_gap_that_began_before_the_last_minute_is_still_one(timeline: Timeline) -> None:
    _Live(timeline, lambda at: not 5 < at < 60).go_on(80.01)
    ((begin, end),) = _gaps(timeline)
    assert begin < -SPAN_S
    assert end == pytest.approx(-20, abs=0.5)


def test_face_that_is_away_for_a_minute_is_forgotten(timeline: Timeline) -> None:
    _Live(timeline, lambda at: at < 5).go_on(70)
    assert _gaps(timeline) == []
    assert timeline._history == {}


def test_marker_before_the_first_line_stays(timeline: Timeline) -> None:
    timeline.add_marker(Marker(0.0, "begin", "key", 0))
    _Live(timeline).go_on(5)
    (flag,) = timeline.flags.named.values()
    assert flag.scene() is timeline._plot.scene()
    assert flag.value() == pytest.approx(-5, abs=0.5)


def test_markers_of_an_hour_that_nobody_looks_at_are_forgotten(timeline: Timeline) -> None:
    for second in range(3600):
        timeline.add(Result(second, float(second), float(second), ()))
        timeline.add_marker(Marker(float(second), f"trial {second}", "lsl", second))
    items = len(timeline._plot.scene().items())
    assert len(timeline._markers) <= SPAN_S + 1
    timeline.clear()
    assert items - len(timeline._plot.scene().items()) < 100


def _names(timeline: Timeline) -> list[QRectF]:
    """Where names are seen, in the scene."""
    labels = [flag.label for flag in timeline.flags.named.values()]
    return [label.mapRectToScene(label.boundingRect()) for label in labels if label.isVisible()]


@pytest.mark.parametrize(("seconds", "least"), [(range(5, 55, 10), 5), (range(5, 55, 2), 8), (range(25, 35), 2)])
def test_names_cover_no_other(seconds: range, least: int, timeline: Timeline) -> None:
    live = _Live(timeline)
    for second in range(60):
        live.go_on(1)
        if second in seconds:
            timeline.add_marker(Marker(float(second), f"stimulus {second}", "lsl", second))
    live.go_on(0.5, is_painted=True)
    names = _names(timeline)
    assert len(names) >= least
    assert not any(one.intersects(other) for one, other in itertools.combinations(names, 2))


def test_names_that_have_no_room_come_back(timeline: Timeline) -> None:
    """Until there are so many that lines alone are drawn."""
    _Live(timeline).go_on(1)
    for number in range(60):
        timeline.add_marker(Marker(1 + number / 100, f"{number}", "lsl", number))
    assert timeline.flags.named == {}
    assert not timeline.flags._lines.path().isEmpty()
    timeline.clear()
    timeline.add_marker(Marker(2.0, "alone", "key", 1))
    assert len(_names(timeline)) == 1
    assert timeline.flags._lines.path().isEmpty()


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_flags_are_as_thick_on_any_screen(ratio: float, timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlotWidget, "devicePixelRatioF", lambda plot: ratio)
    timeline.add_marker(Marker(1.0, "begin", "key", 0))
    (flag,) = timeline.flags.named.values()
    assert flag.pen.widthF() == ratio
