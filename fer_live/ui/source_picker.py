"""The list of what can be watched."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QWidget

from fer_live.source_names import DEMO, is_url, public_address

_WIDTH_CHARS = 30


class SourcePicker(QComboBox):
    """Cameras by name, the demo, and a video or stream if one was opened.

    Until it is filled for the first time it shows nothing. source_picked(str): the user picked one, in the words of
    capture.opening.live_source.
    """

    source_picked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(_WIDTH_CHARS * self.fontMetrics().averageCharWidth())
        # A list with the focus takes letters as searches: the mouse must not take the keys from the window.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Source"))
        self.setToolTip(self.tr("Camera, video or stream"))
        self.activated.connect(lambda index: self.source_picked.emit(str(self.itemData(index))))

    def refill(self, wanted: str) -> str:
        """Lists what there is now and selects wanted, or the first camera if that is ''; returns the selected."""
        # With OpenCV, which takes long to import.
        from fer_live.capture.listing import list_cameras

        self.clear()
        self.setPlaceholderText(self.tr("No camera"))
        cameras = list_cameras()
        for camera in cameras:
            self.addItem(camera.name, str(camera.index))
        self.addItem(self.tr("Demo"), DEMO)
        if not wanted and cameras:
            wanted = str(cameras[0].index)
        if wanted and self.findData(wanted) < 0:
            self.addItem(self._title(wanted), wanted)
        self.choose(wanted)
        return wanted

    def choose(self, source: str) -> None:
        """Selects a source of the list, or nothing."""
        self.setCurrentIndex(self.findData(source))

    def _title(self, source: str) -> str:
        if is_url(source):
            return public_address(source)
        return self.tr("camera {index}").format(index=source) if source.isdecimal() else Path(source).name
