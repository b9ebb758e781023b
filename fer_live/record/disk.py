"""How much space a recording has left, looked at every few seconds."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from fer_live.config import RecordingConfig
from fer_live.errors import RecordError

LOOK_S = 2.0
_MB = 1e6
_FREE_SPACE = "Free some space or choose another folder."


class DiskWatch:
    """Looks after the folder of a recording. warning: the same one as long as there is little space, else None."""

    def __init__(self, settings: RecordingConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._looked_at = -LOOK_S
        self.warning: RecordError | None = None

    def look(self, folder: Path) -> RecordError | None:
        """Why recording must end now, or None; warning says what the user should know. Looks only when it is due."""
        now = self._clock()
        if now - self._looked_at < LOOK_S:
            return None
        self._looked_at = now
        try:
            left_mb = shutil.disk_usage(folder).free / _MB
        except OSError as error:
            return RecordError(
                f"Folder '{folder}' cannot be reached any more ({error.strerror}).",
                "What was recorded until then is where the folder is now; record again into another one.",
            )
        if left_mb < self._settings.stop_below_mb:
            return RecordError(
                f"The disk of '{folder}' has only {left_mb:.0f} MB left, so nothing more is recorded.", _FREE_SPACE
            )
        if left_mb >= self._settings.warn_below_mb:
            self.warning = None
        elif self.warning is None:
            self.warning = RecordError(f"The disk of '{folder}' has only {left_mb:.0f} MB left.", _FREE_SPACE)
        return None
