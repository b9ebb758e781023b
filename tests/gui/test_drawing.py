"""What is drawn, and what is not: one copy of a picture, nothing without a new frame, nothing that nobody can see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication, QWidget
from pyqtgraph import PlotWidget
from pytestqt.qtbot import QtBot

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Frame, Result, Track
from fer_live.ui.face_panel import ProbabilityBars
from fer_live.ui.main_window import MainWindow
from fer_live.ui.timeline import REDRAW_S
from fer_live.ui.video_view import VideoView, picture_of
from tests.fakes import FakeCamera
from tests.gui.conftest import Stage, shows, visible_text


class _Drawing(QObject):
    """Counts paint events of picture, bars and plot, changes of the plot's first curve, and results."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.count: Counter[str] = Counter()
        self.captured_at: list[float] = []
        assert window.live.timeline is not None
        plot = window.live.timeline.findChild(PlotWidget)
        bars = window.live.face_panel.findChild(ProbabilityBars)
        assert isinstance(plot, PlotWidget)
        assert bars is not None
        self._names: dict[QObject | None, str] = {window.live.view: "picture", bars: "bars", plot.viewport(): "plot"}
        for widget in self._names:
            assert isinstance(widget, QWidget)
            widget.installEventFilter(self)
        plot.listDataItems()[0].sigPlotChanged.connect(lambda _: self.count.update(["curve"]))
        window.controller.analysed.connect(self._note)

    def _note(self, frame: Frame, result: Result) -> None:
        self.count["result"] += 1
        self.captured_at.append(result.captured_at)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.Paint:
            self.count[self._names[watched]] += 1
        return False

    def forget(self) -> None:
        """Begins anew, without what is still to be painted."""
        QApplication.processEvents()
        self.count.clear()
        self.captured_at.clear()


@pytest.fixture
def window(stage: Stage) -> MainWindow:
    window = stage.run()
    stage.wait(lambda: window.live.timeline and window.live.timeline.findChild(PlotWidget).listDataItems())
    return window


@pytest.fixture
def drawing(window: MainWindow) -> _Drawing:
    return _Drawing(window)


def test_picture_is_read_where_the_frame_lies() -> None:
    pixels = np.arange(4 * 7 * 3, dtype=np.uint8).reshape(4, 7, 3)
    pixels.setflags(write=False)
    picture = picture_of(pixels)
    assert picture.constBits() is not None
    assert int(picture.constBits()) == pixels.ctypes.data  # type: ignore[call-overload]
    colour = picture.pixelColor(6, 3)
    assert [colour.blue(), colour.green(), colour.red()] == pixels[3, 6].tolist()


@pytest.mark.parametrize("ratio", [1, 2])
def test_boxes_are_as_thick_on_any_screen(ratio: int, qtbot: QtBot) -> None:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    box, values = np.array([50, 30, 110, 90], np.float32), np.full(7, 1 / 7, np.float32)
    track = Track(1, box, 0.9, values, values, label_index=FER2013_LABELS.index("angry"), hits=1, age_s=0.0)
    frame = Frame(np.full((120, 160, 3), 128, np.uint8), 0, 0.0)
    view.show_result(frame, Result(0, 0.0, 0.0, (track,)), FER2013_LABELS, None)
    picture = QImage(view.size() * ratio, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(ratio)
    view.render(picture)
    # Half way down, only the box's left and right sides are not grey.
    middle = 2 * (60 * 2 * ratio)
    painted = [x for x in range(picture.width()) if picture.pixelColor(x, middle) != QColor(128, 128, 128)]
    assert len(painted) == pytest.approx(2 * 2 * ratio, abs=ratio)


def test_frame_reaches_the_view_without_a_copy(stage: Stage) -> None:
    given: list[np.ndarray] = []

    class Camera(FakeCamera):
        def read(self) -> Frame | None:
            frame = super().read()
            if frame is not None:
                given.append(frame.image)
            return frame

    stage.open_source = lambda: Camera(stage.device)
    window = stage.run()
    shown: list[Frame] = []
    window.controller.analysed.connect(lambda frame, result: shown.append(frame))
    stage.wait(lambda: len(shown) > 5)
    assert all(np.shares_memory(frame.image, given[frame.index]) for frame in shown)


def test_a_frame_is_painted_once(stage: Stage, drawing: _Drawing) -> None:
    drawing.forget()
    stage.wait(lambda: drawing.count["result"] > 30)
    for part in ("picture", "bars"):
        assert 0 < drawing.count[part] <= drawing.count["result"] + 1


def test_plot_is_redrawn_a_few_times_a_second(stage: Stage, drawing: _Drawing) -> None:
    drawing.forget()
    stage.wait(lambda: drawing.count["result"] > 30)
    span_s = drawing.captured_at[-1] - drawing.captured_at[0]
    for part in ("curve", "plot"):
        assert 0 < drawing.count[part] <= span_s / REDRAW_S + 2


@pytest.mark.parametrize(
    ("go_away", "come_back"),
    [(MainWindow.showMinimized, MainWindow.showNormal), (MainWindow.hide, MainWindow.show)],
    ids=["minimized", "hidden"],
)
def test_nothing_is_drawn_while_nobody_can_see_it(
    go_away: Callable[[MainWindow], None],
    come_back: Callable[[MainWindow], None],
    stage: Stage,
    window: MainWindow,
    drawing: _Drawing,
) -> None:
    go_away(window)
    # What was due before is still painted, in this screen without a window manager.
    stage.wait(lambda: drawing.count["result"] > 5)
    drawing.forget()
    stage.wait(lambda: drawing.count["result"] > 30)
    QApplication.processEvents()
    assert set(drawing.count) == {"result"}
    come_back(window)
    stage.wait(lambda: {"picture", "bars", "plot", "curve"} <= set(drawing.count))
    assert shows(window, window.live)


def test_picture_alone_is_all_that_is_drawn(stage: Stage, window: MainWindow, drawing: _Drawing) -> None:
    stage.press(window, "f")
    drawing.forget()
    stage.wait(lambda: drawing.count["result"] > 30)
    assert set(drawing.count) == {"result", "picture"}
    stage.press(window, "f")
    stage.wait(lambda: {"bars", "plot", "curve"} <= set(drawing.count))


def test_newest_frame_is_shown_on_coming_back_even_if_no_other_comes(stage: Stage, window: MainWindow) -> None:
    stage.wait(lambda: "Face 1" in visible_text(window))
    window.showMinimized()
    newest: list[Frame] = []
    window.controller.analysed.connect(lambda frame, result: newest.append(frame))
    stage.wait(lambda: len(newest) > 3)
    before = window.live.view.snapshot()
    window.controller.analysed.disconnect()
    window.showNormal()
    QApplication.processEvents()
    assert window.live.view.snapshot() != before
