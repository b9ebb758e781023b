"""Steps of work that overlap, each on threads of its own, with results in order.

Threads gain here since FFmpeg, OpenCV, MediaPipe and ONNX Runtime let go of Python's lock while they work.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

from fer_live.core.closing import Closing

Given = TypeVar("Given")
Made = TypeVar("Made")

_SWITCH_S = 0.0005
"""After which a thread at work in Python lets another have its turn: a step in C waits for that before it goes on."""


class Overlap(Closing):
    """Steps that each take what the one before made; their threads end with it, and what waits for them is dropped.

    Whoever asks for what the last step makes drives them all, on one thread: it hands items on, and nothing runs
    further ahead than the steps may.
    """

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._closing.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_SWITCH_S)

    def step(self, work: Callable[[Given], Made], items: Iterable[Given], threads: int = 1) -> Iterator[Made]:
        """What work makes of items, in their order; one item after the other on one thread, several at once on more.

        At most one item more than threads is begun or waits until what became of the first is taken. An error of the
        work on an item, or of items, is raised in its place, after all that was made before.
        """
        pool = ThreadPoolExecutor(threads)
        self._closing.callback(pool.shutdown, cancel_futures=True)
        begun: deque[Future[Made]] = deque()
        for future in _begin(pool, work, items):
            begun.append(future)
            if len(begun) > threads:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    def close(self) -> None:
        """Ends the threads, each after the item it is at; calling it again does nothing."""
        self._closing.close()


def _begin(pool: ThreadPoolExecutor, work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Future[Made]]:
    """Hands items to the pool. An error of items becomes the future of the item that is missing."""
    try:
        for item in items:
            yield pool.submit(work, item)
    except Exception as error:
        failed: Future[Made] = Future()
        failed.set_exception(error)
        yield failed
