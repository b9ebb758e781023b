"""A text file that only grows, by whole lines, and stays readable when the disk does not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fer_live import files
from fer_live.errors import RecordError

FLUSH_S, SYNC_S = 0.5, 4.0
"""Oldest age of a line that only this process, or only the operating system, holds: well under 1 s and 5 s."""


class RowFile:
    """Appends lines. A write that fails half-way is undone, so the file never ends in a torn line.

    It is locked while it is open, so that others can tell a session that is being written from one that was cut off.
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
            files.lock(self._file)
        self._size = 0
        self._flushed_at = self._synced_at = clock()
        self._is_open = True

    def append(self, lines: str) -> None:
        """Adds whole lines; they are flushed and synced in time. Raises RecordError, e.g. on a full disk."""
        self._pending.append(lines)
        self.keep_up()

    def keep_up(self) -> None:
        """Flushes and syncs what is due; to be called now and then while no lines come."""
        now = self._clock()
        if now - self._flushed_at >= FLUSH_S:
            self.flush()
        if now - self._synced_at >= SYNC_S:
            self.sync()

    def flush(self) -> None:
        """Hands all lines to the operating system."""
        encoded = "".join(self._pending).encode()
        try:
            written = 0
            while written < len(encoded):
                written += os.write(self._file, encoded[written:])
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise self._failure(error) from error
        self._pending.clear()
        self._size += len(encoded)
        self._flushed_at = self._clock()

    def sync(self) -> None:
        """Flushes, then waits until the disk has it."""
        self.flush()
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._failure(error) from error
        self._synced_at = self._clock()

    def close(self) -> None:
        """Syncs and closes, also after a failure; calling it again does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self.sync()
        finally:
            os.close(self._file)

    def _failure(self, error: OSError) -> RecordError:
        return RecordError(
            f"'{self._path}' cannot be written ({error.strerror}).",
            "Free some space or choose another folder; the rows written so far are readable.",
        )
