"""Recordings and markers, as the user begins, ends and names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QDialog, QMessageBox, QWidget

from fer_live.config import Config, recording_folder
from fer_live.errors import RecordError
from fer_live.record.notes import Notes
from fer_live.ui.banner import Banner, Button, Tone, Until
from fer_live.ui.controller import LiveController
from fer_live.ui.messages import error_text
from fer_live.ui.session_dialog import SessionDialog

if TYPE_CHECKING:
    from fer_live.core.structs import Marker
    from fer_live.record.recorder import Recorder


class Recording(QObject):
    """Turns what the user wants into recordings, and tells in the banner what came of it.

    config: gives the settings as they are now. review_wanted(Path): the user wants to see a recording.
    settings_changed(RecordingConfig): the next recordings shall hold something else.
    """

    review_wanted = pyqtSignal(object)
    settings_changed = pyqtSignal(object)

    def __init__(
        self, controller: LiveController, banner: Banner, config: Callable[[], Config], window: QWidget
    ) -> None:
        super().__init__(window)
        self._window = window
        self._notes = Notes()
        self._told: set[RecordError] = set()
        self._controller, self._banner, self._config = controller, banner, config
        controller.status_changed.connect(self._watch)
        controller.recorded.connect(self._show_recorded)
        controller.marked.connect(self._show_marked)

    def toggle(self) -> None:
        """Begins or ends a recording."""
        config = self._config()
        self._controller.toggle_recording(recording_folder(config), self._notes, config.recording)

    def may_end(self, question: str) -> bool:
        """Asks a question if a recording is going on, which would be ended; True if it may be, or there is none.

        It goes on meanwhile.
        """
        if self._controller.recorder is None:
            return True
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        # Neither Enter nor a second Space ends it.
        return QMessageBox.question(self._window, "FER Live", question, yes | no, no) == yes

    def edit_session(self) -> None:
        """Asks what the next recordings hold, and what is said of them."""
        dialog = SessionDialog(self._notes, self._config().recording, self._window)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self._notes = dialog.notes
            self.settings_changed.emit(dialog.settings)

    def mark(self) -> None:
        """Marks this moment, without a name of its own."""
        self._controller.mark(self.tr("marker"), "key")

    def mark_key(self, number: int) -> None:
        """Marks this moment with the name that the settings give to a key, 1 to 9; '' means that it has none."""
        name = self._config().markers.name_of(number)
        if name:
            self._controller.mark(name, "key")

    def mark_text(self, text: str) -> None:
        """Marks this moment with a name that was typed."""
        self._controller.mark(text, "text")

    def open_folder(self, folder: Path) -> None:
        """Shows a folder, which is made if it is missing, in the system's file manager."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem = RecordError(f"'{folder}' cannot be made ({error.strerror}).", "See that you may write there.")
            self._banner.show_message(str(problem), Tone.ERROR, Until.CLOSED)
        else:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _show_marked(self, marker: Marker) -> None:
        if self._controller.recorder is None:
            news = self.tr("Marker '{name}', which is not recorded: no recording is going on.")
        else:
            news = self.tr("Marker '{name}'")
        self._banner.show_news(news.format(name=marker.name))

    def _watch(self) -> None:
        if self._controller.recorder is not None:
            self._show_warnings(self._controller.recorder)

    def _show_warnings(self, recorder: Recorder) -> None:
        """Shows each once: who has closed it knows it."""
        for warning in recorder.warnings:
            if warning not in self._told:
                self._told.add(warning)
                self._banner.show_message(error_text(warning), Tone.WARNING, Until.CLOSED)

    def _show_recorded(self, recorder: Recorder) -> None:
        self._show_warnings(recorder)
        folder = recorder.folder
        buttons: list[Button] = []
        if folder is not None and folder.exists():
            buttons.append((self.tr("Show"), lambda: self.open_folder(folder)))
            buttons.append((self.tr("Review"), lambda: self.review_wanted.emit(folder)))
        if recorder.error is not None:
            self._banner.show_message(error_text(recorder.error), Tone.ERROR, Until.CLOSED, buttons)
        elif folder is not None:
            self._banner.show_news(self.tr("Recorded {folder}").format(folder=folder), buttons)
