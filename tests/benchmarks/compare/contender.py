"""A contender: a process of its own that stays, and labels frames when it is asked to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases import Case
from environments import fer_python, human_modules

from fer_live.core.closing import Closing

_HERE = Path(__file__).parent


def _fer_live(model: str, *way: str) -> Callable[[Path], list[str | Path]]:
    return lambda cache: [sys.executable, _HERE / "serve_fer_live.py", model, *way]


def _fer(detector: str) -> Callable[[Path], list[str | Path]]:
    return lambda cache: [fer_python(cache), _HERE / "serve_fer.py", detector]


def _human(mode: str) -> Callable[[Path], list[str | Path]]:
    return lambda cache: ["node", _HERE / "serve_human.js", human_modules(cache), mode]


OURS = "FER Live"
CONTENDERS = {
    OURS: _fer_live("resnet18"),
    "FER Live, MobileViT-XXS": _fer_live("mobilevit_xxs"),
    "per face": _fer_live("resnet18", "per-face"),
    "per face, MobileViT-XXS": _fer_live("mobilevit_xxs", "per-face"),
    "fer, Haar": _fer("haar"),
    "fer, MTCNN": _fer("mtcnn"),
    "human, detect": _human("detect"),
    "human, follow": _human("follow"),
    "human, reuse": _human("reuse"),
}
"""Name, and what gives the command of its process, installing what that needs into a cache folder."""


class Failed(Exception):
    """A contender's process ended; says what it said last."""


@dataclass(frozen=True)
class Frames:
    """A file of a case's frames."""

    case: Case
    path: Path
    count: int


class Contender(Closing):
    """The process of a contender."""

    def __init__(self, command: Sequence[str | Path], log: Path) -> None:
        """log: where its standard error goes. Raises Failed if it does not start."""
        self._log = log
        with ExitStack() as opened:
            errors = opened.enter_context(log.open("w", encoding="utf-8"))
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True)
            opened.callback(self.close)
            self.versions: dict[str, str] = self._next_line()
            opened.pop_all()

    def label(self, frames: Frames, first: int, count: int, least_s: float) -> dict[str, Any]:
        """Has a block of frames labelled as often as it takes to reach a time.

        Returns frames, wall_s and cpu_s of all passes, and boxes, left, top, width and height, of the first.
        """
        order = {
            "path": str(frames.path),
            "width": frames.case.width,
            "height": frames.case.height,
            "first": first,
            "count": min(count, frames.count - first),
            "least_s": least_s,
        }
        assert self._process.stdin is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return self._next_line()

    def _next_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            last = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise Failed(f"it ended: {' '.join(last) or 'it said nothing'} (see {self._log})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process, which gives its memory back."""
        self._process.kill()
        self._process.communicate()
