"""The hand-over between two threads: one place, newest wins, losses counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestSlot(Generic[Item]):
    """Holds at most one item; a new one replaces one that nobody took. Safe between threads."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: Item | None = None
        self._is_closed = False
        self._dropped = 0
        self._on_filled: Callable[[], None] | None = None

    def notify(self, on_filled: Callable[[], None]) -> None:
        """on_filled is called, on the putting thread, each time the slot goes from empty to full."""
        self._on_filled = on_filled

    def put(self, item: Item) -> None:
        """Makes this the newest item; does nothing once the slot is closed."""
        with self._condition:
            if self._is_closed:
                return
            was_empty = self._item is None
            self._dropped += not was_empty
            self._item = item
            self._condition.notify()
        if was_empty and self._on_filled is not None:
            self._on_filled()

    def take(self, timeout_s: float = 0.0) -> Item | None:
        """Removes and returns the item, waiting for one; None after the timeout or once the slot is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._item is not None or self._is_closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Wakes whoever waits; what is in the slot can still be taken."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()

    @property
    def dropped(self) -> int:
        """Items that were replaced before anybody took them."""
        with self._condition:
            return self._dropped
