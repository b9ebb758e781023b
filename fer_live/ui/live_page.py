"""What is seen while a session runs: the picture, the bars of the selected face and its last minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fer_live.core.structs import Frame, Marker, Result
from fer_live.ui.face_panel import FacePanel
from fer_live.ui.marker_field import MarkerField
from fer_live.ui.selection import Selection
from fer_live.ui.video_view import VideoView

if TYPE_CHECKING:
    from fer_live.ui.timeline import Timeline


class LivePage(QWidget):
    """Picture, panel and timeline show the same face of the same frame."""

    def __init__(self) -> None:
        super().__init__()
        self.view, self.face_panel, self.marker_field = VideoView(), FacePanel(), MarkerField()
        self.timeline: Timeline | None = None
        self.selection = Selection()
        self.view.face_clicked.connect(self.selection.choose)
        upper = QHBoxLayout()
        left = QVBoxLayout()
        left.addWidget(self.view, stretch=1)
        left.addWidget(self.marker_field)
        upper.addLayout(left, stretch=1)
        upper.addWidget(self.face_panel)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addLayout(upper, stretch=1)

    def add_timeline(self) -> None:
        """To be called once the window is there: pyqtgraph takes long to import."""
        from fer_live.ui.timeline import Timeline

        self.timeline = Timeline()
        self._column.addWidget(self.timeline)

    def show_result(self, frame: Frame, result: Result, labels: Sequence[str]) -> None:
        """Shows a frame with its own result; labels by index of the probabilities."""
        track = self.selection.follow(result.tracks, result.captured_at)
        self.view.show_result(frame, result, labels, None if track is None else track.face_id)
        self.face_panel.show_track(track, labels)
        if self.timeline is not None:
            self.timeline.add(result)
            self.timeline.draw(self.selection.face_id, labels, result.captured_at)

    def show_marker(self, marker: Marker) -> None:
        """Shows a marker on the timeline."""
        if self.timeline is not None:
            self.timeline.add_marker(marker)

    def show_picture_alone(self, is_alone: bool) -> None:
        """Hides, or shows again, all but the picture."""
        for widget in (self.face_panel, self.marker_field, self.timeline):
            if widget is not None:
                widget.setVisible(not is_alone)

    def clear(self) -> None:
        """Forgets the last session."""
        self.selection.reset()
        self.view.clear()
        self.face_panel.show_track(None, ())
        if self.timeline is not None:
            self.timeline.clear()
