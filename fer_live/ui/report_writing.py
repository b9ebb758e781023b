"""Writes a session's report in a process of its own, since that of an hour takes seconds."""

from __future__ import annotations

import sys
from pathlib import Path

from PyQt6.QtCore import QObject, QProcess, pyqtSignal

_KILLED_WITHIN_MS = 2000


class ReportWriting(QObject):
    """One report at a time. written(str): the page's path. failed(str): why there is none. Neither after cancel()."""

    written = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    def start(self, folder: Path) -> None:
        """Begins to write the report of a session's folder; another one that is being written is given up."""
        self.cancel()
        process = self._process = QProcess(self)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._note_error)
        process.start(sys.executable, ["-m", "fer_live", "report", str(folder)])

    def cancel(self) -> None:
        """Gives up; what the folder held before is still there. Does nothing if nothing is being written."""
        process, self._process = self._process, None
        if process is not None:
            process.disconnect()
            process.kill()
            process.waitForFinished(_KILLED_WITHIN_MS)
            process.deleteLater()

    def _finish(self, code: int) -> None:
        process, self._process = self._process, None
        assert process is not None
        path = process.readAllStandardOutput().data().decode(errors="replace").strip()
        said = process.readAllStandardError().data().decode(errors="replace").strip()
        process.deleteLater()
        if code == 0 and path:
            self.written.emit(path)
        else:
            reason = said.splitlines()[-1] if said else str(code)
            self.failed.emit(reason.removeprefix("error: "))

    def _note_error(self, error: QProcess.ProcessError) -> None:
        """A process that does not even start never finishes either."""
        if error is QProcess.ProcessError.FailedToStart:
            self._finish(1)
