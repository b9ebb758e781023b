"""Other programs beside the window: their lines, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QObject
from pytestqt.qtbot import QtBot

from fer_live.ui.program import Program

_TORN = """
import sys
from pathlib import Path
sys.stdout.write("one ")
sys.stdout.flush()
while not Path(sys.argv[1]).exists():
    pass
print("line")
sys.stdout.write("the last")
"""


@pytest.fixture
def program(qapp: QObject) -> Iterator[Program]:
    program = Program(qapp)
    yield program
    program.stop()
    program.deleteLater()


def test_lines_come_whole_however_they_were_written(program: Program, qtbot: QtBot, tmp_path: Path) -> None:
    lines: list[str] = []
    program.printed.connect(lines.append)
    with qtbot.waitSignal(program.done, timeout=20_000):
        program.start(["-c", _TORN, str(tmp_path / "seen")])
        assert program._process is not None
        program._process.readyReadStandardOutput.connect(lambda: (tmp_path / "seen").touch())
    assert lines == ["one line", "the last"]
