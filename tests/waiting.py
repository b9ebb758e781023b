"""Waiting for other threads and processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(
    is_so: Callable[[], object], what: str = "the condition", timeout_s: float = 20.0, step_s: float = 0.005
) -> None:
    """Returns as soon as is_so() is true, which is asked every step_s; fails the test if that takes too long."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come about in {timeout_s:.0f} s"
        pause.wait(step_s)
