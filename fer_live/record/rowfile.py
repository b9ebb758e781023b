"""A text file that only grows, by whole lines, and stays readable when the disk does not."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from fer_live import files
from fer_live.errors import RecordError

FLUSH_S, SYNC_S = 0.5, 4.0
"""Oldest age of a line that only this process, or only the operating system, holds: well under 1 s and 5 s."""
_LOCK_TRIES, _LOCK_PAUSE_S = 20, 0.005


class RowFile:
    """Appends lines. Of a write that fails half-way, what was appended together stays or is undone as a whole.

    It is locked while it is open, so that others can tell a session that is being written from one that was cut off.
    Syncing happens on a thread of its own, which lives as long as the disk takes: meanwhile lines are flushed as ever.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Makes the file, which must not exist; raises RecordError."""
        self._path = path
        self._clock = clock
        self._pending: list[str] = []
        try:
            # O_APPEND, so that after an undone write the next one starts at the end, not where that one stopped.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = os.open(path, flags, 0o644)
        except OSError as error:
            raise self._failure(error) from error
        with suppress(OSError):  # some network disks have no locks; nothing else depends on them
            self._lock()
        self._size = self._synced_size = 0
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None
        self._flushed_at = self._synced_at = clock()
        self._is_open = True

    def _lock(self) -> None:
        """Not at once if somebody is just looking whether the file is locked, which takes a moment."""
        for _ in range(_LOCK_TRIES):
            if files.lock(self._file):
                return
            time.sleep(_LOCK_PAUSE_S)

    def append(self, lines: str) -> None:
        """Adds whole lines; they are flushed and synced in time. Raises RecordError, e.g. on a full disk."""
        self._pending.append(lines)
        self.keep_up()

    def keep_up(self) -> None:
        """Flushes and syncs what is due; to be called now and then while no lines come. Raises RecordError."""
        now = self._clock()
        if now - self._flushed_at >= FLUSH_S:
            self.flush()
        if self._sync_error is not None:
            raise self._failure(self._sync_error) from self._sync_error
        if now - self._synced_at >= SYNC_S:
            self._begin_sync()

    def flush(self) -> None:
        """Hands all lines to the operating system, or as many as there is space for. Raises RecordError."""
        pieces = [lines.encode() for lines in self._pending]
        encoded, written = b"".join(pieces), 0
        try:
            while written < len(encoded):
                written += os.write(self._file, encoded[written:])
        except OSError as error:
            self._keep_what_fits(pieces, written)
            raise self._failure(error) from error
        self._pending.clear()
        self._size += len(encoded)
        self._flushed_at = self._clock()

    def _keep_what_fits(self, pieces: Sequence[bytes], written: int) -> None:
        """Undoes the piece that was torn; of all of them, so many bytes were written."""
        ends = [end for end in accumulate(map(len, pieces)) if end <= written]
        self._size += ends[-1] if ends else 0
        del self._pending[: len(ends)]
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            # The torn line stays at the end, where readers pass it over, so nothing may come after it.
            self._pending.clear()

    def _begin_sync(self) -> None:
        self.flush()
        is_busy = self._syncing is not None and self._syncing.is_alive()
        if is_busy or self._synced_size == self._size:
            return
        self._synced_at, self._synced_size = self._clock(), self._size
        # A daemon, since a disk that never answers must not keep the program from ending.
        self._syncing = threading.Thread(target=self._sync, name="sync", daemon=True)
        self._syncing.start()

    def _sync(self) -> None:
        try:
            os.fsync(self._file)
        except OSError as error:
            self._sync_error = error

    def content(self) -> bytes:
        """The whole lines that the operating system has taken, also after a failure; raises OSError."""
        return self._path.read_bytes()[: self._size]

    def close(self) -> None:
        """Syncs and closes, also after a failure; calling it again does nothing. Raises RecordError."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            if self._syncing is not None:
                self._syncing.join()
            try:
                self.flush()
            finally:
                os.fsync(self._file)
            if self._sync_error is not None:
                raise self._sync_error
        except OSError as error:
            raise self._failure(error) from error
        finally:
            os.close(self._file)

    def _failure(self, error: OSError) -> RecordError:
        return RecordError(
            f"'{self._path}' cannot be written ({error.strerror}).",
            "Free some space or choose another folder; the rows written so far are readable.",
        )
