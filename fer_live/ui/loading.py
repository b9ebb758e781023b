"""What takes long to import, imported beside the window and not before it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module

from PyQt6.QtCore import QObject, pyqtSignal

FOR_SESSIONS = ("fer_live.capture.listing", "fer_live.capture.permission", "fer_live.pipeline.headless")
FOR_PLOTS = ("fer_live.ui.timeline",)

_STOP_S = 2.0


class Loading(QObject):
    """Imports modules on a thread of its own, so that the window is painted and answers meanwhile.

    loaded(): all are there, which is_over tells from then on. Who needs one of them earlier imports it and waits.
    """

    loaded = pyqtSignal()

    def __init__(self, modules: Sequence[str], parent: QObject) -> None:
        super().__init__(parent)
        self._modules = modules
        self._thread: threading.Thread | None = None
        self._is_stopped = threading.Event()
        self.is_over = False

    def begin(self) -> None:
        """Begins; does nothing when called again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._load, name="loading", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Waits, within a bound, for the import that is going on, and leaves the others."""
        self._is_stopped.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def _load(self) -> None:
        for name in self._modules:
            import_module(name)
            if self._is_stopped.is_set():
                return
        self.is_over = True
        self.loaded.emit()
