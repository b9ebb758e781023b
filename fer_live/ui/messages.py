"""What the window says of errors."""

from __future__ import annotations

import traceback

from PyQt6.QtCore import QCoreApplication
from PyQt6.QtGui import QGuiApplication

from fer_live.errors import FerError
from fer_live.pipeline.status import LiveStatus


def _tr(text: str) -> str:
    return QCoreApplication.translate("messages", text)


def error_text(error: BaseException | None) -> str:
    """One sentence and what to do; for a bug, its kind and where to find more."""
    if isinstance(error, FerError):
        return str(error)
    return _tr("FER Live made a mistake ({error!r}). Details are in the log folder.").format(error=error)


def stalled_text(status: LiveStatus) -> str:
    """Why no picture comes, and when it is tried again."""
    reason = str(status.error) if status.error is not None else _tr("No picture comes from the camera.")
    if status.retry_in_s <= 0:
        return reason
    return f"{reason} " + _tr("Trying again in {seconds:.0f} s.").format(seconds=status.retry_in_s)


def copy_details(error: Exception | None) -> None:
    """Puts everything known of an error on the clipboard."""
    clipboard = QGuiApplication.clipboard()
    if error is not None and clipboard is not None:
        clipboard.setText("".join(traceback.format_exception(error)))
