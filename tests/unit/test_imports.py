"""What a start imports: nobody waits for what only a session, a plot or another command needs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

_HEAVY = (
    "PyQt6",
    "cv2",
    "jinja2",
    "matplotlib",
    "mediapipe",
    "numpy",
    "onnxruntime",
    "polars",
    "psutil",
    "pyqtgraph",
    "tqdm",
)
_FOR_THE_WINDOW = ("PyQt6",)
_FOR_THE_NOTICE = ("PyQt6", "numpy")
"""numpy comes with the registry of networks, of which the notice quotes one's card."""

_SAY_MODULES = "print(*sys.modules)"
_COMMAND = f"""
import atexit, sys
atexit.register(lambda: {_SAY_MODULES})
from fer_live.cli import main
sys.argv = ["fer-live", *sys.argv[1:]]
main()
"""
# What is loaded beside the window begins to be loaded once the window has been painted.
_WINDOW = f"""
import os, sys
from fer_live.cli import main
from fer_live.ui.loading import Loading
Loading.begin = lambda loading: ({_SAY_MODULES}, sys.stdout.flush(), os._exit(0))
sys.argv = ["fer-live", "app", "demo"]
main()
"""


def _heavy_modules(program: str, *arguments: str) -> set[str]:
    """Of _HEAVY, what a program has imported in the end."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.splitlines()[-1].split())
    assert "fer_live.cli" in modules
    return modules & set(_HEAVY)


@pytest.mark.parametrize("name", _HEAVY)
def test_what_is_kept_out_could_come_in(name: str) -> None:
    assert find_spec(name) is not None


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("analyze", "--help"), ("report", "--help")])
def test_command_line_alone_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert _heavy_modules(_COMMAND, *arguments) == set()


@pytest.mark.parametrize("is_first_start", [False, True])
def test_window_is_painted_before_anything_heavy_is_imported(
    is_first_start: bool, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    settings = own_home / "config" / "fer-live" / "fer-live.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("" if is_first_start else "[General]\nnotice_seen=true\n")
    expected = _FOR_THE_NOTICE if is_first_start else _FOR_THE_WINDOW
    assert _heavy_modules(_WINDOW) == set(expected)
