from __future__ import annotations

import multiprocessing
import os
import signal
import threading

import pytest

from fer_live.errors import BackendError, SourceError
from fer_live.pipeline.alone import run_alone


def _number(text: str, base: int = 10) -> tuple[int, int]:
    return int(text, base), os.getpid()


def _refuse() -> None:
    raise SourceError("No such camera.", "Plug it in.")


def _die() -> None:
    os._exit(3)


def _never_end() -> None:
    os.kill(os.getppid(), signal.SIGINT)
    threading.Event().wait()


def test_another_process_answers() -> None:
    number, process = run_alone(_number, "ff", base=16)
    assert number == 255
    assert process != os.getpid()


def test_its_error_is_ours() -> None:
    with pytest.raises(SourceError, match=r"No such camera\. Plug it in\."):
        run_alone(_refuse)


def test_its_death_is_said() -> None:
    with pytest.raises(BackendError, match=r"'_die' ended before it was done \(exit code 3\)"):
        run_alone(_die)


def test_ctrl_c_ends_it() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_alone(_never_end)
    finally:
        signal.signal(signal.SIGINT, before)
    assert multiprocessing.active_children() == []
