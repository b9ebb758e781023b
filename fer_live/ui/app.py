"""The composition root: log, hooks, application, window, in this order."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import platformdirs
from PyQt6.QtCore import QObject, QSettings, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication, QMessageBox

from fer_live.config import APP_NAME, Config
from fer_live.errors import ConfigError
from fer_live.ui.main_window import MainWindow
from fer_live.ui.messages import error_text
from fer_live.ui.translation import install_translation, system_language

log = logging.getLogger(__name__)

_LOG_BYTES, _LOG_FILES = 1_000_000, 3
_SIGNAL_CHECK_MS = 200


def run_app(
    config: Config, source: str | None = None, session: Path | None = None, config_path: Path | None = None
) -> int:
    """Opens the window and returns the exit code when it is closed. source: what to start on, as typed.

    session: the folder of a recorded session to show instead. config_path: the file of the settings, the default one
    if None.

    Raises ConfigError if there is no display.
    """
    _check_display()
    start_log()
    hooks = CrashHooks()
    hooks.install()
    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setApplicationName("FER Live")
    translators = install_translation(system_language())
    window = MainWindow(config, QSettings(APP_NAME, APP_NAME), source, session, config_path)
    hooks.crashed.connect(lambda error: QTimer.singleShot(0, lambda: show_crash(error, window)))
    timer = _close_on_signals(window)
    window.show()
    code = QApplication.exec()
    timer.stop()
    translators.clear()
    return code


class CrashHooks(QObject):
    """Sends what nobody caught to the log and the window: PyQt would end the process instead.

    crashed(BaseException): at most once, so that one broken paint event does not fill the screen with dialogs.
    """

    crashed = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._has_crashed = False

    def install(self) -> None:
        """Replaces the hooks of the interpreter and of its threads."""
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self._on_exception(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("uncaught", exc_info=(kind, error, trace))
        if not self._has_crashed:
            self._has_crashed = True
            self.crashed.emit(error)


def show_crash(error: BaseException, window: MainWindow) -> None:
    """Closes the recording, which is kept, and says what happened: the only modal dialog without a choice."""
    window.controller.shut_down()
    QMessageBox.critical(window, "FER Live", error_text(error))
    window.close()


def _close_on_signals(window: MainWindow) -> QTimer:
    """Ctrl-C and a polite kill finish the recording and close the window, without a question."""

    def close() -> None:
        window.controller.shut_down()
        window.close()

    for number in (signal.SIGINT, signal.SIGTERM):
        # Later, since a signal may come in the middle of anything.
        signal.signal(number, lambda *_: QTimer.singleShot(0, close))
    # Python sees a signal only when it runs, and Qt's event loop may sleep for hours.
    timer = QTimer(window)
    timer.timeout.connect(lambda: None)
    timer.start(_SIGNAL_CHECK_MS)
    return timer


def _check_display() -> None:
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in variables):
        raise ConfigError(
            "There is no display to open a window on.", "Use `fer-live record` or `fer-live analyze` instead."
        )


def start_log() -> None:
    """Has a file keep what is logged; where none can be written, only warnings are, and on standard error."""
    path = platformdirs.user_log_path(APP_NAME) / "fer-live.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8")
    except OSError as error:
        log.warning("there is no log, since '%s' cannot be written (%s)", path, error.strerror)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("fer_live")
    root.setLevel(logging.INFO)
    root.addHandler(handler)
