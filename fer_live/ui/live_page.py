"""What is seen while a session runs: the picture, the bars of the selected face and its last minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fer_live.ui.face_panel import FacePanel
from fer_live.ui.marker_field import MarkerField
from fer_live.ui.selection import Selection
from fer_live.ui.video_view import VideoView

if TYPE_CHECKING:
    from fer_live.core.structs import Frame, Marker, Result, Track
    from fer_live.ui.timeline import Timeline

_TIMELINE_LINES = 10


class LivePage(QWidget):
    """Picture, panel and timeline show the same face of the same frame. Nothing is drawn while nobody can see it."""

    def __init__(self) -> None:
        super().__init__()
        self.view, self.face_panel, self.marker_field = VideoView(), FacePanel(), MarkerField()
        self.timeline: Timeline | None = None
        self._newest: tuple[Frame, Result, Sequence[str], Track | None] | None = None
        self._is_picture_alone = False
        self.selection = Selection()
        self.view.face_clicked.connect(self.selection.choose)
        upper = QHBoxLayout()
        left = QVBoxLayout()
        left.addWidget(self.view, stretch=1)
        left.addWidget(self.marker_field)
        upper.addLayout(left, stretch=1)
        upper.addWidget(self.face_panel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(upper, stretch=1)
        self._place = QWidget()
        self._place.setFixedHeight(_TIMELINE_LINES * self.fontMetrics().height())
        column.addWidget(self._place)

    def add_timeline(self) -> None:
        """To be called once pyqtgraph is loaded, which takes long."""
        from fer_live.ui.timeline import Timeline

        self.timeline = Timeline()
        layout = QVBoxLayout(self._place)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.timeline)

    def show_result(self, frame: Frame, result: Result, labels: Sequence[str]) -> None:
        """Shows a frame with its own result; labels by index of the probabilities."""
        track = self.selection.follow(result.tracks, result.captured_at)
        if self.timeline is not None:
            self.timeline.add(result)
        self._newest = (frame, result, labels, track)
        if self._is_seen():
            self._draw()

    def _is_seen(self) -> bool:
        window = self.window()
        assert window is not None
        handle = window.windowHandle()
        return self.isVisible() and not window.isMinimized() and handle is not None and handle.isExposed()

    def _draw(self) -> None:
        if self._newest is None:
            return
        frame, result, labels, track = self._newest
        self.view.show_result(frame, result, labels, None if track is None else track.face_id)
        if self._is_picture_alone:
            return
        self.face_panel.show_track(track, labels)
        if self.timeline is not None:
            self.timeline.draw(self.selection.face_id, labels, result.captured_at)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Also when the window was minimized."""
        super().showEvent(event)
        self._draw()

    def show_marker(self, marker: Marker) -> None:
        """Shows a marker on the timeline."""
        if self.timeline is not None:
            self.timeline.add_marker(marker)

    def show_picture_alone(self, is_alone: bool) -> None:
        """Hides, or shows again, all but the picture."""
        self._is_picture_alone = is_alone
        for widget in (self.face_panel, self.marker_field, self._place):
            widget.setVisible(not is_alone)

    def clear(self) -> None:
        """Forgets the last session."""
        self._newest = None
        self.selection.reset()
        self.view.clear()
        self.face_panel.show_track(None, ())
        if self.timeline is not None:
            self.timeline.clear()
