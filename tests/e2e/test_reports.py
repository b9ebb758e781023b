"""`fer-live backends`, `doctor` and `--help`, and what starting costs."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

from fer_live import __version__
from fer_live.backends.registry import BACKENDS, shipped_models
from tests.e2e.conftest import Run


def test_backends_as_json(fer_live: Run) -> None:
    run = fer_live(["backends", "--json"])
    probes = json.loads(run.stdout)
    assert (run.returncode, run.stderr) == (0, "")
    assert [probe["name"] for probe in probes] == list(BACKENDS)
    assert all(probe["available"] == (probe["reason"] == "") for probe in probes)
    assert next(probe for probe in probes if probe["name"] == "onnx-cpu")["available"]


def test_backends_for_people(fer_live: Run) -> None:
    run = fer_live(["backends"])
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.split()[0] for line in run.stdout.splitlines()] == list(BACKENDS)


def test_doctor_as_json(fer_live: Run, environment: dict[str, str]) -> None:
    run = fer_live(["doctor", "--json"])
    report = json.loads(run.stdout)
    assert (run.returncode, run.stderr) == (0, "")
    assert report["versions"]["fer-live"] == __version__
    assert report["versions"]["mediapipe"] == "0.10.33"
    assert report["versions"]["system"] == platform.platform()
    assert set(report["models"]) == set(shipped_models())
    assert all(state.startswith("ok, on ") for state in report["models"].values())
    assert report["folders"]["cache"].startswith(environment["XDG_CACHE_HOME"])


def test_doctor_for_people(fer_live: Run) -> None:
    run = fer_live(["doctor"])
    assert run.returncode == 0
    sections = [line for line in run.stdout.splitlines() if not line.startswith(" ")]
    assert {"versions:", "models:", "backends:", "folders:"} <= set(sections)


def test_help_gives_settings_with_units_and_defaults(fer_live: Run) -> None:
    text = fer_live(["analyze", "--help"]).stdout
    assert "tracking.smoothing_ms = 300: time constant of smoothing, ms" in text
    assert "(default: sessions)" in text


def test_version(fer_live: Run) -> None:
    assert fer_live(["--version"]).stdout == f"{__version__}\n"


@pytest.mark.parametrize("package", ["torch", "training", "mediapipe", "onnxruntime", "matplotlib", "PIL", "av"])
def test_command_line_starts_without(package: str, loaded: set[str]) -> None:
    assert package not in loaded


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Top-level packages that importing the command line loads."""
    code = "import fer_live.cli, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    packages = set(run.stdout.split())
    assert {"fer_live", "pydantic"} <= packages
    return packages
