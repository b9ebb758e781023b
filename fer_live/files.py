"""Files that are the old or the new one at every moment, also after a crash, and that tell who writes them."""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PARTIAL = ".partial"
"""What the name of a file ends in that has not yet replaced the one it is for."""

_REPLACE_TRIES, _REPLACE_PAUSE_S = 20 if sys.platform == "win32" else 1, 0.05
_LOCKED_BYTE = 1 << 30
"""Windows keeps others from reading locked bytes, so one is locked that no file has. Elsewhere the whole file is."""


def replace_file(path: Path, content: bytes) -> None:
    """Writes beside the file, syncs, then renames over it. Raises OSError, and then the old file is still whole."""
    partial = path.with_name(path.name + PARTIAL)
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _put(partial, path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _put(partial: Path, path: Path) -> None:
    """Windows does not replace a file that somebody has open, as virus scanners do for a moment."""
    for left in reversed(range(_REPLACE_TRIES)):
        try:
            partial.replace(path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(_REPLACE_PAUSE_S)


def sync_folder(folder: Path) -> None:
    """Waits until the disk has the names in a folder, where that can be: Windows cannot open folders."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network disks, and folders shared with virtual machines, sync none
            raise
    finally:
        os.close(opened)


def lock(file: int) -> bool:
    """Holds an open file until it is closed or this process ends, in whatever way; False if somebody else holds it.

    Only those who ask for the lock are kept out; everybody can read. Raises OSError where the disk has no locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
