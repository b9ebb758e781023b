from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.config import Config, load_config
from fer_live.outlets.opening import make_outlets

_LIBRARIES = "pylsl", "pythonosc", "websockets"


def test_everything_is_off_by_default() -> None:
    assert make_outlets(Config()) == []


@pytest.mark.parametrize(
    ("assignments", "names"),
    [
        (["outlets.lsl=true"], ["LSL"]),
        (["outlets.osc=127.0.0.1:9000"], ["OSC"]),
        (["outlets.osc_marker_port=9001"], ["OSC"]),
        (["outlets.websocket=8765"], ["WebSocket"]),
        (["outlets.lsl=true", "outlets.osc=[::1]:9000", "outlets.websocket=8765"], ["LSL", "OSC", "WebSocket"]),
    ],
)
def test_settings_switch_them_on(assignments: list[str], names: list[str]) -> None:
    assert [outlet.name for outlet in make_outlets(load_config(assignments=assignments))] == names


def test_no_library_is_loaded_before_it_is_needed() -> None:
    code = f"""
import sys
from pathlib import Path
from fer_live.config import Config
from fer_live.outlets.opening import make_outlets
from fer_live.pipeline.live import LiveSession
make_outlets(Config())
print([name for name in {_LIBRARIES} if name in sys.modules])
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


def _error_in_child(prelude: str, environment: dict[str, str]) -> str:
    """What the status of an LSL outlet says in a process of its own."""
    code = f"""
import sys, threading
{prelude}
from fer_live.config import load_config
from fer_live.outlets.opening import make_outlets
(outlet,) = make_outlets(load_config(assignments=["outlets.lsl=true"]))
stop = threading.Event()
stop.set()
outlet.run(stop)
print(outlet.status().error)
"""
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **environment})
    return child.stdout.strip()


def test_lsl_opens() -> None:
    pytest.importorskip("pylsl", exc_type=RuntimeError)
    expected = "None" if sys.platform == "linux" else "outlets.allow_other_machines"
    assert expected in _error_in_child("", {})


def test_missing_pylsl_is_named() -> None:
    error = _error_in_child("sys.modules['pylsl'] = None", {})
    assert error.startswith("LSL needs the package 'pylsl', which is not installed.")
    assert 'pip install "fer-live[live]"' in error


def test_liblsl_that_does_not_run_here_is_named(tmp_path: Path) -> None:
    library = tmp_path / "liblsl.so"
    library.write_text("no library")
    assert "library liblsl is missing" in _error_in_child("", {"PYLSL_LIB": str(library)})
