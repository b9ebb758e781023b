"""One real window on a real (virtual) screen, driven by mouse and keys as a user does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageGrab

from tests.e2e.conftest import FER_LIVE, Session
from tests.waiting import wait_until

_MISSING = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
pytestmark = [
    pytest.mark.skipif(bool(_MISSING), reason=f"{' and '.join(_MISSING)} not installed"),
    pytest.mark.usefixtures("shipped_weights"),
]

_SCREEN = (1120, 760)
_STEP_S = 0.25
_START_S = 60.0
_PHOTOGRAPH = 1000


@pytest.fixture
def display() -> Iterator[str]:
    """A screen of its own."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{_SCREEN[0]}x{_SCREEN[1]}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


class User:
    """Somebody before the screen."""

    def __init__(self, display: str, environment: dict[str, str], folder: Path) -> None:
        self.folder = folder
        self.recordings = folder / "recordings"
        self._display = display
        self._environment = environment | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "LC_ALL": "C.UTF-8"}
        command = [*FER_LIVE, "app", "demo", "--set", f"record_dir={json.dumps(str(self.recordings))}"]
        self.app = subprocess.Popen(command, env=self._environment, stderr=subprocess.PIPE, text=True)

    def do(self, *arguments: object) -> str:
        """Runs xdotool."""
        done = subprocess.run(["xdotool", *map(str, arguments)], env=self._environment, capture_output=True, text=True)
        return done.stdout

    def keep(self, name: str) -> None:
        """Saves what is on the screen."""
        ImageGrab.grab(xdisplay=self._display).save(self.folder / f"{name}.png")

    def colours(self) -> int:
        """How many are on the screen: a photograph has many, text and buttons have few."""
        return _count_colours(ImageGrab.grab(xdisplay=self._display))

    def sees_photograph(self) -> bool:
        return self.colours() > _PHOTOGRAPH

    def wait(self, is_so, what: str) -> None:  # type: ignore[no-untyped-def]
        def is_so_or_dead() -> bool:
            assert self.app.poll() is None, self.app.stderr and self.app.stderr.read()
            return bool(is_so())

        wait_until(is_so_or_dead, what, _START_S, _STEP_S)


def _count_colours(image: Image.Image) -> int:
    sample = image.convert("RGB").resize((160, 120), Image.Resampling.NEAREST)
    return len(sample.getcolors(160 * 120) or ())


def _is_photograph(path: Path) -> bool:
    """False also while it is being written."""
    try:
        with Image.open(path) as image:
            return image.size == (640, 480) and _count_colours(image) > _PHOTOGRAPH
    except OSError:
        return False


@pytest.fixture
def user(display: str, environment: dict[str, str], tmp_path: Path) -> Iterator[User]:
    user = User(display, environment, tmp_path)
    yield user
    user.app.kill()
    user.app.communicate()


def _states(folder: Path) -> list[str]:
    return [json.loads(path.read_text())["state"] for path in sorted(folder.glob("*/session.json"))]


def test_from_the_first_start_to_a_closed_recording(user: User) -> None:
    user.wait(lambda: user.do("search", "--onlyvisible", "--name", "^FER Live$"), "the window")
    (window,) = user.do("search", "--onlyvisible", "--name", "^FER Live$").split()
    user.do("windowmove", window, 0, 0, "windowfocus", window)
    user.wait(lambda: user.colours() > 5, "the notice")
    user.keep("notice")
    assert not user.sees_photograph()

    # "I understand" is somewhere on the middle line, below the text.
    rows = iter(range(_SCREEN[1] // 2, _SCREEN[1], 16))
    user.wait(lambda: user.do("mousemove", _SCREEN[0] // 2, next(rows), "click", 1) or user.sees_photograph(), "a face")

    user.do("key", "r")
    user.wait(lambda: _states(user.recordings) == ["recording"], "the recording")
    user.do("key", "s")
    user.wait(lambda: any(map(_is_photograph, user.recordings.glob("snapshot_*.png"))), "the snapshot")
    (csv,) = user.recordings.glob("*/frames.csv")
    user.wait(lambda: csv.read_text().count(",ok,") > 60, "two seconds of faces")
    user.keep("recording")
    user.do("key", "r")
    user.wait(lambda: _states(user.recordings) == ["closed"], "the end of the recording")
    recorded = Session(csv.parent)
    assert recorded.rows.face_id.notna().sum() > 60
    assert recorded.facts["source"]["name"] == "demo"

    user.keep("running")
    user.do("key", "space")
    user.wait(lambda: not user.sees_photograph(), "the welcome page")
    user.keep("welcome")
    user.do("key", "space")
    user.wait(user.sees_photograph, "a face again")

    user.do("key", "r")
    user.wait(lambda: _states(user.recordings) == ["closed", "recording"], "another recording")
    user.app.send_signal(signal.SIGTERM)
    _, errors = user.app.communicate(timeout=_START_S)
    assert user.app.returncode == 0, errors
    assert _states(user.recordings) == ["closed", "closed"]
    assert "Traceback" not in errors
