"""One backend takes over from another while frames are analysed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fer_live.backends.backend import Backend
from fer_live.core.closing import Closing
from fer_live.errors import FerError


class BackendRelay(Closing):
    """The backend in use, and the one that shall follow it.

    begin(), change() and close() belong to the thread that analyses, which closes both; all else may come from others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: Backend | None = None
        self._is_held = False
        self._is_over = False
        self.current: Backend | None = None

    def begin(self, backend: Backend) -> None:
        """Puts the first backend to use."""
        self.current = backend

    def offer(self, backend: Backend) -> None:
        """Has a backend of the same network take over at the next change(); it is closed if there will be none."""
        with self._lock:
            unused = backend if self._is_over else self._next
            if not self._is_over:
                self._next = backend
        if unused is not None:
            unused.close()

    def hold(self) -> Backend:
        """The backend in use, which stays in use until release()."""
        with self._lock:
            self._is_held = True
            assert self.current is not None
            return self.current

    def release(self) -> None:
        """Lets another backend take over again."""
        with self._lock:
            self._is_held = False

    def change(self) -> Backend | None:
        """To be called between two frames: the backend that takes over now, if one does; the old one is closed."""
        with self._lock:
            if self._next is None or self._is_held:
                return None
            old, self.current, self._next = self.current, self._next, None
        if old is not None:
            old.close()
        return self.current

    def close(self) -> None:
        """Closes all backends, also those that are offered later. `current` still tells which was in use."""
        with self._lock:
            self._is_over = True
            left, self._next = [self.current, self._next], None
        for backend in left:
            if backend is not None:
                backend.close()


class BackendOpening:
    """Opens another backend on a thread of its own, so that the one in use misses no frame meanwhile.

    error: why it could not; None while it is not known.
    """

    def __init__(self, open_backend: Callable[[], Backend], relay: BackendRelay) -> None:
        self._open_backend = open_backend
        self._relay = relay
        self.error: FerError | None = None

    def run(self, stop: threading.Event) -> None:
        """Opens it once and hands it over."""
        try:
            self._relay.offer(self._open_backend())
        except FerError as error:
            self.error = error
