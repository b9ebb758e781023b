"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from fer_live.errors import TrainingError


def replace_file(path: Path, content: bytes, hint: str = "Free some space and start again.") -> None:
    """Writes beside the file, then renames over it; raises TrainingError, and then the old file is still whole."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise TrainingError(f"'{path}' cannot be written ({error.strerror or error}).", hint) from error
    finally:
        partial.unlink(missing_ok=True)


def require_writable(folder: Path, option: str) -> None:
    """Makes a folder and proves that files can be made in it; raises TrainingError naming the option."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise TrainingError(
            f"Folder '{folder}' cannot be written ({reason}).", f"Choose another {option}."
        ) from error
