"""Builds what a better backend needs, in a process of its own, while the session runs on another one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from fer_live.config import Config
from fer_live.errors import FerError
from fer_live.pipeline.status import LiveState, LiveStatus
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.controller import LiveController
from fer_live.ui.program import Program

if TYPE_CHECKING:
    from fer_live.backends.backend import Backend
    from fer_live.pipeline.live import LiveSession
    from fer_live.pipeline.relay import BackendOpening

log = logging.getLogger(__name__)

_PHASE_LENGTH = 40
"""TensorRT's names of phases can be as long as all layers' names together, and the window must not grow."""


class Preparing(QWidget):
    """A line of progress with a Cancel button, hidden while nothing is prepared.

    Each pair of backend and model is looked at once, when a session with it runs or fails. restart_wanted(): what a
    failed session lacked is there now.
    """

    restart_wanted = pyqtSignal()

    def __init__(
        self, controller: LiveController, banner: Banner, config: Callable[[], Config], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._banner, self._config = controller, banner, config
        self._text, self._cancel = QLabel(), QPushButton(self.tr("Cancel"))
        self._cancel.setToolTip(self.tr("Stop preparing the GPU; it begins again at the next start"))
        self._cancel.clicked.connect(self.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._text)
        row.addWidget(self._cancel)
        self._program = Program(self)
        self._program.printed.connect(self._show_progress)
        self._program.done.connect(self._finish)
        self._program.failed.connect(self._fail)
        self._wanted = ("", "")
        self._looked_at: set[tuple[str, str]] = set()
        self._is_awaited = self._is_due = False
        self._switching: tuple[LiveSession, BackendOpening, Backend] | None = None
        controller.status_changed.connect(self._see)
        self.hide()

    def text(self) -> str:
        """What is shown."""
        return self._text.text()

    def _see(self, status: LiveStatus | None) -> None:
        self._watch_switch()
        if status is None:
            self._restart_if_due()
        elif status.state in (LiveState.RUNNING, LiveState.FAILED):
            wanted = (self._config().backend, self._config().model)
            if not self._program.is_running and wanted not in self._looked_at:
                self._looked_at.add(wanted)
                self._wanted, self._is_due = wanted, False
                self._is_awaited = status.state is LiveState.FAILED
                self._begin()

    def _begin(self) -> None:
        from fer_live.backends.registry import preparation

        try:
            arguments = preparation(*self._wanted)
        except FerError:  # the session says so itself
            return
        if arguments is None:
            return
        log.info("preparing: %s", " ".join(arguments))
        self._program.start(arguments)
        self._text.setText(self.tr("Preparing the GPU (some minutes, once)"))
        self.show()

    def _show_progress(self, line: str) -> None:
        steps, _, phase = line.partition(" ")
        done, _, total = steps.partition("/")
        if done.isdecimal() and total.isdecimal() and int(total) > 0:
            percent = 100 * int(done) // int(total)
            text = self.tr("Preparing the GPU: {phase}, {percent} %")
            self._text.setText(text.format(phase=phase[:_PHASE_LENGTH], percent=percent))

    def cancel(self) -> None:
        """Ends the process, and says so; does nothing if there is none."""
        if self._program.is_running:
            self.stop()
            self._banner.show_news(self.tr("The GPU is not prepared now; that begins again at the next start."))

    def stop(self) -> None:
        """Ends the process, for when the window closes."""
        self._program.stop()
        self.hide()

    def _finish(self) -> None:
        self.hide()
        self._use()

    def _fail(self, code: int, sentence: str, said: str) -> None:
        self.hide()
        log.warning("preparing the GPU ended with code %d: %s", code, said)
        unknown = self.tr("The program for it ended unexpectedly (code {code}).").format(code=code)
        self._tell_failure(sentence or unknown)

    def _tell_failure(self, reason: str) -> None:
        text = self.tr("The GPU could not be prepared. {reason}").format(reason=reason)
        session = self._controller.session
        if session is not None and session.backend is not None:
            text += " " + self.tr("Everything goes on with {device}.").format(device=session.backend.device)
        again = (self.tr("Try again"), self._try_again)
        self._banner.show_message(text, Tone.WARNING, Until.CLOSED, [again])

    def _try_again(self) -> None:
        self._banner.close_newest()
        if not self._program.is_running:
            self._begin()

    def _use(self) -> None:
        session = self._controller.session
        before = None if session is None else session.backend
        if session is None or before is None:
            self._is_due = self._is_awaited
            self._restart_if_due()
        elif (session.config.backend, session.config.model) == self._wanted:
            self._switching = (session, session.switch_backend(), before)

    def _restart_if_due(self) -> None:
        """Asks for another session, once the failed one has ended."""
        if self._is_due and self._controller.session is None:
            self._is_due = False
            # Later, when everybody knows that it has ended.
            QTimer.singleShot(0, self.restart_wanted.emit)

    def _watch_switch(self) -> None:
        """Says what became of a session that was asked to change its backend."""
        if self._switching is None:
            return
        session, opening, before = self._switching
        backend = session.backend
        if session is not self._controller.session or backend is None:
            self._switching = None
        elif opening.error is not None:
            self._switching = None
            self._tell_failure(str(opening.error))
        elif backend is not before:
            self._switching = None
            if backend.name == before.name:
                self._tell_failure(self.tr("The log folder has the reason."))
            else:
                self._banner.show_news(self.tr("Now computing with {device}.").format(device=backend.device))
