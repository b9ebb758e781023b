"""Builds what a better backend needs, in a process of its own, while the session runs on another one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from PyQt6.QtCore import QProcess, QTimer, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from fer_live.backends.backend import Backend
from fer_live.backends.registry import preparation
from fer_live.config import Config
from fer_live.errors import FerError
from fer_live.pipeline.live import LiveSession, LiveState, LiveStatus
from fer_live.pipeline.relay import BackendOpening
from fer_live.ui.banner import Banner, Tone, Until
from fer_live.ui.controller import LiveController

log = logging.getLogger(__name__)

_KILLED_WITHIN_MS = 2000
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
        self._process: QProcess | None = None
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
            if self._process is None and wanted not in self._looked_at:
                self._looked_at.add(wanted)
                self._wanted, self._is_due = wanted, False
                self._is_awaited = status.state is LiveState.FAILED
                self._begin()

    def _begin(self) -> None:
        try:
            arguments = preparation(*self._wanted)
        except FerError:  # the session says so itself
            return
        if arguments is None:
            return
        log.info("preparing: %s", " ".join(arguments))
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._show_progress)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._note_error)
        process.start(sys.executable, arguments)
        self._text.setText(self.tr("Preparing the GPU (some minutes, once)"))
        self.show()

    def _show_progress(self) -> None:
        assert self._process is not None
        lines = self._process.readAllStandardOutput().data().decode(errors="replace").splitlines()
        for line in reversed(lines):
            steps, _, phase = line.partition(" ")
            done, _, total = steps.partition("/")
            if done.isdecimal() and total.isdecimal() and int(total) > 0:
                percent = 100 * int(done) // int(total)
                text = self.tr("Preparing the GPU: {phase}, {percent} %")
                self._text.setText(text.format(phase=phase[:_PHASE_LENGTH], percent=percent))
                return

    def cancel(self) -> None:
        """Ends the process, and says so; does nothing if there is none."""
        if self._process is not None:
            self.stop()
            self._banner.show_news(self.tr("The GPU is not prepared now; that begins again at the next start."))

    def stop(self) -> None:
        """Ends the process, for when the window closes."""
        process, self._process = self._process, None
        self.hide()
        if process is not None:
            process.finished.disconnect(self._finish)
            process.kill()
            process.waitForFinished(_KILLED_WITHIN_MS)
            process.deleteLater()

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        process, self._process = self._process, None
        assert process is not None
        said = process.readAllStandardError().data().decode(errors="replace").strip()
        process.deleteLater()
        self.hide()
        if status is QProcess.ExitStatus.NormalExit and code == 0:
            self._use()
            return
        log.warning("preparing the GPU ended with code %d: %s", code, said)
        is_sentence = status is QProcess.ExitStatus.NormalExit and code == 2
        reason = said.splitlines()[-1].removeprefix("error: ") if is_sentence and said else ""
        self._tell_failure(reason or self.tr("The program for it ended unexpectedly (code {code}).").format(code=code))

    def _note_error(self, error: QProcess.ProcessError) -> None:
        """A process that does not even start never finishes either."""
        if error is QProcess.ProcessError.FailedToStart:
            self._finish(0, QProcess.ExitStatus.CrashExit)

    def _tell_failure(self, reason: str) -> None:
        text = self.tr("The GPU could not be prepared. {reason}").format(reason=reason)
        session = self._controller.session
        if session is not None and session.backend is not None:
            text += " " + self.tr("Everything goes on with {device}.").format(device=session.backend.device)
        again = (self.tr("Try again"), self._try_again)
        self._banner.show_message(text, Tone.WARNING, Until.CLOSED, [again])

    def _try_again(self) -> None:
        self._banner.hide()
        if self._process is None:
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
