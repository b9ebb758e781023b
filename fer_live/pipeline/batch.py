"""Many sources, one session folder each: what an earlier run finished is kept, the rest is analysed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from fer_live.backends.backend import Backend
from fer_live.backends.registry import open_backend
from fer_live.capture.opening import open_source
from fer_live.capture.source import Hashes
from fer_live.errors import SourceError
from fer_live.pipeline.files import Order, Outcome, Task, analyse_task, source_facts
from fer_live.pipeline.resume import EarlierSessions
from fer_live.pipeline.workers import run_in_workers

_MOST_JOBS = 60 if sys.platform == "win32" else sys.maxsize
"""Windows waits for at most 63 pipes at once."""


class Report(Protocol):
    """Is told how a batch goes, on the thread that runs it."""

    def begin(self, backend: Backend) -> None:
        """What classifies is open: to be asked what it is, not to be used."""
        ...

    def expect(self, frames: int | None) -> None:
        """One more source is to be analysed, with so many frames if it knows."""
        ...

    def frame(self) -> None:
        """A frame was analysed."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """A source is done with; outcomes come in the order of the sources."""
        ...


def analyse_batch(
    names: Sequence[str], parent: Path, order: Order, report: Report, jobs: int | None = None, is_again: bool = False
) -> None:
    """Analyses sources into folders below parent, several at once.

    jobs: how many at most; None for as many as there are CPUs. With one job or one source all happens in this process.
    is_again: all into new folders, whatever earlier runs finished or left half done.
    The same sources give the same folders and bytes, with any number of jobs and interruptions. A source that fails
    is an outcome; errors that are not about one source are raised, and what was written until then is kept.
    """
    in_order = _InOrder(report.outcome)
    with open_backend(order.config.backend, order.config.model) as backend:
        report.begin(backend)
        earlier = EarlierSessions(parent, are_used=not is_again)
        tasks = []
        for number, name in enumerate(names):
            planned = _plan(number, name, order, backend, earlier, report.expect)
            if isinstance(planned, Task):
                tasks.append(planned)
            else:
                in_order.add(planned)
        jobs = min(jobs or usable_cpus(), len(tasks), _MOST_JOBS)
        order = replace(order, cores=max(1, usable_cpus() // max(1, jobs)))
        if jobs <= 1:
            for task in tasks:
                in_order.add(analyse_task(task, order, backend, report.frame))
    if jobs > 1:
        run_in_workers(tasks, order, backend.name, jobs, report.frame, in_order.add)


def usable_cpus() -> int:
    """Number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _plan(
    number: int,
    name: str,
    order: Order,
    backend: Backend,
    earlier: EarlierSessions,
    expect: Callable[[int | None], None],
) -> Task | Outcome:
    """What is to be done for a source, or its outcome if there is nothing to do."""
    hashes = Hashes()
    try:
        with open_source(name, order.sequence_hz, hashes) as source:
            facts, frames = source_facts(source, order.config, backend), source.size
    except SourceError as error:
        return Outcome(number, name, error)
    folder = earlier.finished(facts, order.with_video)
    if folder is not None:
        return Outcome(number, name, folder, is_earlier=True)
    expect(frames)
    return Task(number, name, earlier.room(facts), hashes)


class _InOrder:
    """Passes outcomes on in the order of their sources, each as soon as all before it are there."""

    def __init__(self, report: Callable[[Outcome], None]) -> None:
        self._report = report
        self._waiting: dict[int, Outcome] = {}
        self._next = 0

    def add(self, outcome: Outcome) -> None:
        self._waiting[outcome.number] = outcome
        while (due := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            self._report(due)
