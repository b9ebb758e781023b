"""Another Python program beside the window: for what takes long, or may crash."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PyQt6.QtCore import QByteArray, QObject, QProcess, pyqtSignal

from fer_live.console import USER_ERROR

_KILLED_WITHIN_MS = 2000


class Program(QObject):
    """One at a time. printed(str): a line of its output. done(): it ended well.

    failed(code, sentence, said): it did not. sentence: for the user, as fer_live.console prints it, or ''; said: all of
    its standard error. None of these after stop().
    """

    printed = pyqtSignal(str)
    done = pyqtSignal()
    failed = pyqtSignal(int, str, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None

    def start(self, arguments: Sequence[str]) -> None:
        """Starts this interpreter with arguments; one that runs is stopped first."""
        self.stop()
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._note_error)
        process.start(sys.executable, list(arguments))

    def stop(self) -> None:
        """Ends it; does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.disconnect()
            process.kill()
            process.waitForFinished(_KILLED_WITHIN_MS)
            process.deleteLater()

    def _read(self) -> None:
        """Whole lines only: a program's output may come in any pieces."""
        while self._process is not None and self._process.canReadLine():
            self.printed.emit(_text(self._process.readLine()))

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        process, self._process = self._process, None
        assert process is not None
        if unfinished := _text(process.readAllStandardOutput()):
            self.printed.emit(unfinished)
        said = _text(process.readAllStandardError())
        process.deleteLater()
        if status is not QProcess.ExitStatus.NormalExit or code not in (0, USER_ERROR):
            self.failed.emit(code, "", said)
        elif code == USER_ERROR:
            self.failed.emit(code, said.splitlines()[-1].removeprefix("error: ") if said else "", said)
        else:
            self.done.emit()

    def _note_error(self, error: QProcess.ProcessError) -> None:
        """A program that does not even start never finishes either."""
        if error is QProcess.ProcessError.FailedToStart:
            self._finish(0, QProcess.ExitStatus.CrashExit)


def _text(output: QByteArray) -> str:
    return output.data().decode(errors="replace").strip()
