"""What waits for an outlet's thread: a bounded queue that loses its oldest."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
SIZE = 64
"""Items that wait at most: two seconds at 30 Hz."""
POLL_S = 0.1
"""How often somebody who waits looks whether to stop."""


class Outbox(Generic[Item]):
    """Never makes the putting thread wait. Safe between threads."""

    def __init__(self, size: int = SIZE) -> None:
        self._items: deque[Item] = deque(maxlen=size)
        self._condition = threading.Condition()
        self._on_filled: Callable[[], object] | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Items that newer ones pushed out before anybody took them."""
        with self._condition:
            return self._dropped

    def notify(self, on_filled: Callable[[], object] | None) -> None:
        """on_filled is called, on the putting thread, when the queue stops being empty; it must not block.

        After notify(None) has returned, no earlier one is called any more.
        """
        with self._condition:
            self._on_filled = on_filled

    def put(self, item: Item) -> None:
        """Adds the newest item."""
        with self._condition:
            was_empty = not self._items
            self._dropped += len(self._items) == self._items.maxlen
            self._items.append(item)
            self._condition.notify()
            if was_empty and self._on_filled is not None:
                self._on_filled()

    def take(self, timeout_s: float = 0.0) -> Item | None:
        """Removes and returns the oldest item, waiting for one; None after the timeout."""
        with self._condition:
            self._condition.wait_for(lambda: self._items, timeout_s)
            return self._items.popleft() if self._items else None

    def until(self, stop: threading.Event) -> Iterator[Item]:
        """All items as they come, until stopped and none is left."""
        while True:
            item = self.take(POLL_S)
            if item is not None:
                yield item
            elif stop.is_set():
                return
