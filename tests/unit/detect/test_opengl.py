"""EGL keeps what it has found for as long as its process lives, so each test has one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="EGL is not used on this system")

_VARIABLE = "__EGL_VENDOR_LIBRARY_FILENAMES"
_DRIVERS = Path("/usr/share/glvnd/egl_vendor.d")
_PROGRAM = f"""
import os, re
from pathlib import Path
from fer_live.capture.demo import DemoSource
from fer_live.detect.mediapipe import MediaPipeFinder

frame = DemoSource().read()
with MediaPipeFinder() as finder:
    print("faces", len(finder.find(frame)))
print("drivers", *set(re.findall(r"libEGL_\\w+", Path("/proc/self/maps").read_text())))
print("variable", os.environ.get("{_VARIABLE}"))
"""


def _run(**variables: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != _VARIABLE} | variables
    done = subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


def test_faces_are_found_without_a_driver_of_opengl() -> None:
    assert _run() == {"faces": "1", "drivers": "", "variable": "None"}


def test_what_the_user_has_chosen_stays() -> None:
    chosen = ":".join(map(str, _DRIVERS.glob("*.json")))
    if not chosen:
        pytest.skip("no driver of OpenGL is installed")
    told = _run(**{_VARIABLE: chosen})
    assert told["drivers"].startswith("libEGL_")
    assert told["faces"] == "1"
    assert told["variable"] == chosen
