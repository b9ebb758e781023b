"""Sessions, as the user opens and leaves them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QWidget

from fer_live.config import Config, recording_folder
from fer_live.errors import FerError
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.recording import Recording

if TYPE_CHECKING:
    from fer_live.ui.review_page import ReviewPage


class Reviewing(QObject):
    """Keeps the review page, which is made when it is needed for the first time.

    opening(): what runs must be stopped, in case it writes the session. opened(QWidget): this page is to be shown.
    closed(): the user has left it. config: gives the settings as they are now.
    """

    opening = pyqtSignal()
    opened = pyqtSignal(QWidget)
    closed = pyqtSignal()

    def __init__(
        self, recording: Recording, banner: Banner, config: Callable[[], Config], window: QWidget
    ) -> None:
        super().__init__(window)
        self._recording, self._banner, self._config, self._window = recording, banner, config, window
        self.page: ReviewPage | None = None

    def ask(self) -> None:
        """Asks for a session's folder and shows it."""
        start = str(recording_folder(self._config()))
        folder = QFileDialog.getExistingDirectory(self._window, self.tr("Open session"), start)
        if folder:
            self.show_session(Path(folder))

    def show_session(self, folder: Path) -> None:
        """Shows a session, or says why it cannot be read."""
        if not self._recording.may_end(self.tr("A recording is going on. Finish it and show the session?")):
            return
        # polars and pyqtgraph take long to import.
        from fer_live.review.reading import open_session
        from fer_live.ui.review_page import ReviewPage

        if self.page is None:
            self.page = ReviewPage(self._banner)
            self.page.closed.connect(self.closed)
        self.opening.emit()
        try:
            self.page.show_session(open_session(folder))
        except FerError as error:
            self._banner.show_message(str(error), Tone.ERROR, Until.CLOSED)
        else:
            self.opened.emit(self.page)

    def release(self) -> None:
        """Lets go of the session's files, if there are any."""
        if self.page is not None:
            self.page.release()
