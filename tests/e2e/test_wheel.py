"""A wheel built from the tree runs on its own, in another environment and from another folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

_TREE = Path(__file__).parents[2]
_PACKAGES = ("fer_live", "training", "weights")
_BORROWED = [folder for folder in sys.path if Path(folder).name in ("site-packages", "dist-packages")]
_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def _run(command: Sequence[str | Path], folder: Path) -> str:
    run = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for package in _PACKAGES:
        shutil.copytree(_TREE / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _FILES:
        shutil.copy(_TREE / file, tree)
    options: list[str | Path] = [
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        tree / "dist",
    ]
    _run([sys.executable, "-m", "pip", "wheel", *options, tree], tree)
    (wheel,) = (tree / "dist").glob("fer_live-*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment_folder(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, which borrows what the wheel depends on from ours."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    _run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel],
        folder,
    )
    # Written last, so that pip sees nothing of ours. A .pth in a borrowed folder, as of an editable FER Live, is not
    # read.
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "borrowed.pth").write_text("\n".join(_BORROWED))
    return folder


def test_installed_package_is_not_the_checkout(environment_folder: Path, tmp_path: Path) -> None:
    code = "import fer_live, fer_live.weights; print(fer_live.__file__, fer_live.weights.__file__, sep='\\n')"
    paths = _run([environment_folder / "bin" / "python", "-c", code], tmp_path).splitlines()
    assert len(paths) == 2
    assert all(Path(path).is_relative_to(environment_folder) for path in paths)


@pytest.mark.usefixtures("shipped_weights")
def test_it_runs_from_another_folder(environment_folder: Path, tmp_path: Path) -> None:
    output = _run([environment_folder / "bin" / "fer-live", "analyze", "demo"], tmp_path)
    assert output.startswith("sessions/demo/frames.csv: 240 frames, ")
    assert (pd.read_csv(tmp_path / "sessions" / "demo" / "frames.csv").status == "ok").any()
