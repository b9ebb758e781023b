"""Whether the screen is locked, as Linux desktops tell it; other systems do not say."""

from __future__ import annotations

import os
import sys

from PyQt6.QtCore import QObject, pyqtSignal, pyqtSlot
from PyQt6.QtDBus import QDBusConnection

# Each desktop has its own; all have the signal ActiveChanged(b) of KDE's, which is the oldest.
INTERFACES = tuple(f"org.{desktop}.ScreenSaver" for desktop in ("freedesktop", "gnome", "cinnamon", "mate", "xfce"))
_ADDRESS = "DBUS_SESSION_BUS_ADDRESS"


class ScreenLock(QObject):
    """Listens on the session's message bus. changed(bool): the screen was locked (True) or unlocked."""

    changed = pyqtSignal(bool)

    def __init__(self, bus: QDBusConnection, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_locked = False
        for interface in INTERFACES:
            bus.connect("", "", interface, "ActiveChanged", self._note)

    @pyqtSlot(bool)
    def _note(self, is_locked: bool) -> None:
        # Some desktops tell it under two names.
        if is_locked != self.is_locked:
            self.is_locked = is_locked
            self.changed.emit(is_locked)


def watch_screen(parent: QObject) -> ScreenLock | None:
    """What knows about the lock of this screen, or None where nobody does."""
    # Without the address the bus would be started, which is not for us to do.
    if sys.platform != "linux" or not os.environ.get(_ADDRESS):
        return None
    return ScreenLock(QDBusConnection.sessionBus(), parent)
