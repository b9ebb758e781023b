"""Several sources at once, each in a process of its own: threads would share Python's lock.

A worker holds one end of a pipe. Whatever closes the other end, be it the end of the batch, Ctrl-C or the death of
this process, ends the worker before its next frame; the session it is at is then interrupted like any other.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any

from fer_live.backends.registry import open_backend
from fer_live.errors import FerError, SourceError
from fer_live.pipeline.files import Order, Outcome, Task, analyse_task

_STOP_S = 10.0
"""How long a worker may take to end; it looks for its pipe's end before each frame."""


def run_in_workers(
    tasks: Sequence[Task],
    order: Order,
    backend: str,
    jobs: int,
    on_frame: Callable[[], None],
    on_outcome: Callable[[Outcome], None],
) -> None:
    """Analyses sources, so many at once and begun in their order; on_outcome is called as each ends.

    backend: by its own name, not 'auto'. A worker that dies costs the source it was at, and is replaced. Raises what
    would not spare the other sources either, such as RecordError for a full disk. No worker outlives the call, which
    is to be made on the main thread.
    """
    waiting = deque(tasks)
    team: list[_Worker] = []
    try:
        while waiting or team:
            while waiting and len(team) < jobs:
                with interrupts_held_back():
                    team.append(_Worker(order, backend, waiting.popleft()))
            ready = wait([worker.pipe for worker in team])
            for worker in [worker for worker in team if worker.pipe in ready]:
                outcome = worker.hear()
                if outcome is None:
                    on_frame()
                    continue
                on_outcome(outcome)
                if waiting and not worker.pipe.closed:
                    worker.give(waiting.popleft())
                else:
                    worker.end()
                    team.remove(worker)
    finally:
        for worker in team:
            worker.dismiss()
        for worker in team:
            worker.end()


class _Worker:
    """A process that analyses one source after another, seen from this side."""

    def __init__(self, order: Order, backend: str, task: Task) -> None:
        # A forked one would get copies of locks that threads of OpenCV or MediaPipe hold for ever.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._has_spoken = False
        self._process = context.Process(target=_work, args=(theirs, order, backend), daemon=True)
        self._process.start()
        theirs.close()
        self.give(task)

    def give(self, task: Task) -> None:
        """Has it analyse a source next."""
        self._task = task
        with suppress(ConnectionError):  # if it is dead, hear() tells
            self.pipe.send(task)

    def hear(self) -> Outcome | None:
        """What it says next: None for a frame. Raises a FerError that it met; if it died, its pipe is closed."""
        self._has_spoken = True
        try:
            said: Outcome | FerError | None = self.pipe.recv()
        except (EOFError, ConnectionError):
            code = self.end()
            error = SourceError(
                f"The process that analysed '{self._task.name}' ended before it was done (exit code {code}).",
                "If memory ran out, use fewer --jobs.",
            )
            return Outcome(self._task.number, self._task.name, error)
        if isinstance(said, FerError):
            raise said
        return said

    def dismiss(self) -> None:
        """Tells it to end."""
        with suppress(OSError):  # closed already
            # What it said and nobody has heard yet tells as well that it is at work.
            self._has_spoken |= self.pipe.poll()
        self.pipe.close()

    def end(self) -> int | None:
        """Ends it, by force if need be or if it is still loading; returns its exit code."""
        self.dismiss()
        self._process.join(_STOP_S if self._has_spoken else 0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._process.exitcode


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Ctrl-C meanwhile is for afterwards, and never for a process started in here, not even while it loads."""
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number))
    if sys.platform != "win32":
        # A process inherits what is blocked. Python's tracker would unblock it if it started with the first worker.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _work(pipe: Any, order: Order, backend: str) -> None:
    """The worker's side: analyses what comes through the pipe until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def tell_frame() -> None:
        try:
            # Nothing is sent to a worker at work, so what can be read is the end.
            is_over = pipe.poll()
            pipe.send(None)
        except ConnectionError:
            is_over = True
        if is_over:
            raise KeyboardInterrupt

    with suppress(EOFError, ConnectionError, KeyboardInterrupt):
        try:
            with open_backend(backend, order.config.model) as opened:
                while True:
                    pipe.send(analyse_task(pipe.recv(), order, opened, tell_frame))
        except FerError as error:
            pipe.send(error)
