from __future__ import annotations

import subprocess
import sys

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
from fer_live.config import Config
from fer_live.outlets.opening import make_outlets
from fer_live.pipeline.live import LiveSession
make_outlets(Config())
print([name for name in {_LIBRARIES} if name in sys.modules])
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"
