"""What is watched, as the user starts, changes and stops it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.config import Config
from fer_live.ui.banner import Banner
from fer_live.ui.controller import LiveController
from fer_live.ui.recording import Recording
from fer_live.ui.source_picker import SourcePicker


class Running(QObject):
    """Starts sessions on a source and ends them, asking first if that would end a recording.

    source: what to start on, in the words of capture.opening.live_source; '' for nothing. is_allowed: whether the
    notice has been read, which comes before any camera is opened. config: gives the settings as they are now.
    listed(bool): the sources are listed anew; whether there is one to start on. starting(): a session begins.
    notice_wanted(): one would begin, were it allowed.
    """

    listed = pyqtSignal(bool)
    starting = pyqtSignal()
    notice_wanted = pyqtSignal()

    def __init__(
        self,
        controller: LiveController,
        recording: Recording,
        picker: SourcePicker,
        banner: Banner,
        config: Callable[[], Config],
    ) -> None:
        super().__init__(picker)
        self._controller, self._recording, self._picker = controller, recording, picker
        self._banner, self._config = banner, config
        self.source = ""
        self.is_allowed = False
        self._is_changing = False
        picker.source_picked.connect(self.start_on)

    def list_sources(self, wanted: str) -> None:
        """Lists what there is now, and takes wanted, or the first camera if that is ''."""
        self.source = self._picker.refill(wanted)
        self.listed.emit(bool(self.source))

    def start_if_possible(self) -> None:
        """Starts if there is a source."""
        if not self.is_allowed:
            self.notice_wanted.emit()
        elif self.source:
            self.starting.emit()
            self._controller.start(self.source, self._config())

    def start_on(self, source: str) -> None:
        """Takes another source ('' for the first camera), and starts on it once the old one has ended."""
        if self._recording.may_end(self.tr("A recording is going on. Finish it and change the source?")):
            self._change(source)
        else:
            self._picker.choose(self.source)

    def restart(self) -> None:
        """Starts what runs again, with the settings of now."""
        if self._controller.session is None:
            return
        question = self.tr("A recording is going on. Finish it and start again with the new settings?")
        if self._recording.may_end(question):
            self._change(self.source)
        else:
            self._banner.show_news(self.tr("The new settings hold from the next start on."))

    def _change(self, source: str) -> None:
        self.list_sources(source)
        if self._controller.session is None:
            self.start_if_possible()
        else:
            self._is_changing = True
            self._controller.stop()

    def go_on(self) -> bool:
        """Whether the session that has ended makes way for another, which is then started."""
        is_changing, self._is_changing = self._is_changing, False
        if is_changing:
            self.start_if_possible()
        return is_changing

    def toggle(self) -> None:
        """Starts or stops."""
        if self._controller.session is None:
            self.list_sources(self.source)
            self.start_if_possible()
        elif self._recording.may_end(self.tr("A recording is going on. Finish it and stop?")):
            self._is_changing = False
            self._controller.stop()

    def try_again(self) -> None:
        """Starts, if nothing runs."""
        if self._controller.session is None:
            self.toggle()

    def stop_at_once(self) -> None:
        """Stops and waits for it."""
        self._is_changing = False
        self._controller.shut_down()
