"""FER Live as a user runs it: a process with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import environment_of

FER_LIVE = (sys.executable, "-m", "fer_live")


class Session:
    """What a session folder holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = pd.read_csv(folder / "frames.csv")
        self.facts: dict[str, Any] = json.loads((folder / "session.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process whose settings and caches are its own."""
    return os.environ | environment_of(tmp_path_factory.mktemp("home"))


Run = Callable[[Sequence[str | Path]], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def fer_live(environment: dict[str, str]) -> Run:
    """Runs `fer-live` with these arguments to its end."""

    def run(arguments: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        command = [*FER_LIVE, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8")

    return run


@contextmanager
def ctrl_c_reaches() -> Iterator[None]:
    """What is started in here heeds Ctrl-C, although a shell may have started the tests with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
