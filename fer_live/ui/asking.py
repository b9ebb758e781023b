"""Sources that are not in the list, as the user names them."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QWidget

from fer_live.errors import FerError
from fer_live.source_names import public_address
from fer_live.ui.banner import Banner, Tone, Until


class Asking(QObject):
    """source_named(str): a video or stream, in the words of capture.opening.live_source."""

    source_named = pyqtSignal(str)

    def __init__(self, banner: Banner, window: QWidget) -> None:
        super().__init__(window)
        self._banner, self._window = banner, window

    def video(self) -> None:
        """Asks for a video file."""
        path, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open video"))
        if path:
            self.source_named.emit(path)

    def stream(self) -> None:
        """Asks for a stream's address."""
        prompt = self.tr("Address (rtsp:// or http://)")
        address, is_accepted = QInputDialog.getText(self._window, self.tr("Open stream"), prompt)
        if not is_accepted or not address.strip():
            return
        try:
            public_address(address.strip())
        except FerError as error:
            self._banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            self.source_named.emit(address.strip())
