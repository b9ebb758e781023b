"""The list of what can be watched."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QWidget

from fer_live.capture.camera import is_url, public_address
from fer_live.capture.listing import list_cameras
from fer_live.capture.opening import DEMO


class SourcePicker(QComboBox):
    """Cameras by name, the demo, and a video or stream if one was opened.

    source_picked(str): the user picked one, in the words of capture.opening.live_source.
    """

    source_picked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(220)
        self.setAccessibleName(self.tr("Source"))
        self.setToolTip(self.tr("Camera, video or stream"))
        self.activated.connect(lambda index: self.source_picked.emit(str(self.itemData(index))))

    def refill(self, wanted: str) -> str:
        """Lists what there is now and selects wanted, or the first camera if that is ''; returns the selected."""
        self.clear()
        cameras = list_cameras()
        for camera in cameras:
            self.addItem(camera.name, str(camera.index))
        self.addItem(self.tr("Demo"), DEMO)
        if not wanted and cameras:
            wanted = str(cameras[0].index)
        if wanted and self.findData(wanted) < 0:
            self.addItem(_title(wanted), wanted)
        self.setCurrentIndex(self.findData(wanted))
        return wanted


def _title(source: str) -> str:
    if is_url(source):
        return public_address(source)
    return f"camera {source}" if source.isdecimal() else Path(source).name
