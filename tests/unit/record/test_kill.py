"""Ten recordings are killed; tests/benchmarks/kill.py does it to the whole program, two hundred times."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_live.record.recovery import is_being_written
from fer_live.record.session import FRAMES_CSV, SESSION_JSON
from fer_live.review.reading import open_session
from tests.unit.record.recordings import ROWS
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has neither fork nor SIGKILL")

_KILLS = 10


@pytest.fixture
def recordings(tmp_path: Path) -> Iterator[dict[int, Path]]:
    """Folders by the id of the process that records into them."""
    folders = [tmp_path / str(number) for number in range(_KILLS)]
    command = [sys.executable, "-m", "tests.unit.record.recordings", *map(str, folders)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        living = {int(parent.stdout.readline()): folder for folder in folders}
        yield living
        for child in living:
            os.kill(child, signal.SIGKILL)


def _handed_over(folder: Path) -> int:
    rows: int = ROWS.unpack((folder / "rows").read_bytes())[0]
    return rows


def _session_of(folder: Path) -> Path:
    wait_until(lambda: list(folder.glob(f"*/{SESSION_JSON}")), "a session")
    return next(folder.glob(f"*/{SESSION_JSON}")).parent


def test_killed_at_any_moment_every_session_opens(recordings: dict[int, Path]) -> None:
    rng = random.Random(11)
    for child, folder in list(recordings.items()):
        session = _session_of(folder)
        assert is_being_written(session)
        size = rng.randint(500, 20_000)
        wait_until(lambda: (session / FRAMES_CSV).stat().st_size >= size, "a flush")  # noqa: B023
        rows = _handed_over(folder) + rng.randint(0, 100)
        wait_until(lambda: _handed_over(folder) >= rows, "more rows")  # noqa: B023
        os.kill(child, signal.SIGKILL)
        del recordings[child]
        wait_until(lambda: not is_being_written(session), "the end of the process")  # noqa: B023
        opened = open_session(session)
        assert opened.facts["state"] == "recovered"
        assert opened.frames["frame_index"].to_list() == list(range(len(opened.frames)))
        assert 0 < len(opened.frames) <= _handed_over(folder)
        assert opened.facts["counts"]["frames_analysed"] == len(opened.frames)
        assert opened.frames.select("p_neutral", "label", "age_ms").null_count().sum_horizontal().item() == 0
        assert (session / FRAMES_CSV).read_bytes().endswith(b"\n")
