"""Steps of work that overlap, each on threads of its own, with results in order.

Threads gain here since FFmpeg, OpenCV, MediaPipe and ONNX Runtime let go of Python's lock while they work.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, cycle, repeat
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
        pool = self._pool(threads)
        return _in_order(lambda item: pool.submit(work, item), items, threads)

    def in_turns(
        self, works: Sequence[Callable[[Given], Made]], items: Iterable[Given], stretch: int
    ) -> Iterator[Made]:
        """Like step, but a stretch of items in a row goes to the same work, on its own thread, the next to the next.

        So a work may remember something from item to item of a stretch. For each work but one a whole stretch may be
        begun or wait, and a few items more.
        """
        count = len(works)
        workers = [(self._pool(1), work) for work in works]
        turns = cycle(chain.from_iterable(repeat(worker, stretch) for worker in workers))

        def begin(item: Given) -> Future[Made]:
            pool, work = next(turns)
            return pool.submit(work, item)

        return _in_order(begin, items, (count - 1) * stretch + min(count, stretch))

    def _pool(self, threads: int) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(threads)
        self._closing.callback(pool.shutdown, cancel_futures=True)
        return pool

    def close(self) -> None:
        """Ends the threads, each after the item it is at; calling it again does nothing."""
        self._closing.close()


def _in_order(begin: Callable[[Given], Future[Made]], items: Iterable[Given], ahead: int) -> Iterator[Made]:
    """What becomes of items, in their order; at most so many are begun ahead of the one that is waited for."""
    begun: deque[Future[Made]] = deque()
    for future in _begun(begin, items):
        begun.append(future)
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()


def _begun(begin: Callable[[Given], Future[Made]], items: Iterable[Given]) -> Iterator[Future[Made]]:
    """An error of items becomes the future of the item that is missing."""
    try:
        for item in items:
            yield begin(item)
    except Exception as error:
        failed: Future[Made] = Future()
        failed.set_exception(error)
        yield failed
