"""From the pipeline's threads to the GUI thread: one signal without arguments per slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from fer_live.pipeline.slots import LatestSlot


class SlotBridge(QObject):
    """Emits filled when a slot goes from empty to full, so that at most one event per slot is ever pending.

    The receiver then takes the newest item from the slot.
    """

    filled = pyqtSignal()

    def __init__(self, slot: LatestSlot[Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        slot.notify(self.filled.emit)
