"""A picture that the user asked to keep."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PyQt6.QtGui import QImage

from fer_live.errors import RecordError

_NAME = "snapshot_%Y-%m-%d_%H-%M-%S-%f.png"


def save_snapshot(image: QImage, folder: Path) -> Path:
    """Writes a PNG into a folder, which is made if it is missing; raises RecordError."""
    path = folder / datetime.now().strftime(_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_saved = image.save(str(path))
    except OSError:
        is_saved = False
    if not is_saved:
        raise RecordError(f"'{path}' cannot be written.", "Choose another folder for recordings in the settings.")
    return path
