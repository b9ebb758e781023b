"""A call in a process of its own, where nothing is left over from what ran before."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from fer_live.errors import BackendError, FerError
from fer_live.pipeline.workers import interrupts_held_back

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def run_alone(function: Callable[Arguments, Answer], *arguments: Arguments.args, **named: Arguments.kwargs) -> Answer:
    """What a function of a module returns, or the FerError that it raises, when a fresh process calls it.

    To be called on the main thread; Ctrl-C ends the process. Raises BackendError if it ends before it is done.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, arguments, named), daemon=True)
    with interrupts_held_back():
        process.start()
    theirs.close()
    try:
        answer: Answer | FerError = ours.recv()
    except EOFError as error:
        process.join()
        raise BackendError(
            f"The process that ran '{function.__name__}' ended before it was done (exit code {process.exitcode})."
        ) from error
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(answer, FerError):
        raise answer
    return answer


def _answer(
    pipe: Connection,
    function: Callable[..., Answer],
    arguments: tuple[object, ...],
    named: dict[str, object],
) -> None:
    try:
        pipe.send(function(*arguments, **named))
    except FerError as error:
        pipe.send(error)
