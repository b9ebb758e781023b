"""Whether memory stays flat: an hour's worth of frames through everything that the window does with them.

python tests/benchmarks/soak.py [--frames N] [--model NAME] [--backend NAME]     (needs a display; xvfb-run will do)

Each frame of the demo (1 to 6 faces) is captured, analysed and painted before the next is given, as fast as that goes.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QSettings, QTimer
from PyQt6.QtWidgets import QApplication

from fer_live.backends.registry import open_backend
from fer_live.capture.demo import DemoSource
from fer_live.capture.opening import LiveSource
from fer_live.config import Config, load_config
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame, Result
from fer_live.pipeline import headless
from fer_live.pipeline.files import open_finder
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.machine import resident_mb
from fer_live.ui.main_window import MainWindow

_HOUR, _MINUTE = 108_000, 1_800
"""Frames at 30 Hz."""
_PATIENCE_S = 5.0


class _InStep(Closing):
    """The demo over and over; a Source that gives a frame when the one before it has been painted."""

    name, identity, size, is_stills, files = "soak", "", None, False, ()

    def __init__(self, painted: threading.Semaphore) -> None:
        self._painted = painted
        self._demo = DemoSource()

    def read(self) -> Frame | None:
        self._painted.acquire(timeout=_PATIENCE_S)
        frame = self._demo.read()
        if frame is None:
            self._demo = DemoSource()
            frame = self._demo.read()
        return None if frame is None else replace(frame, captured_at=time.perf_counter())

    def close(self) -> None:
        self._demo.close()


class _Soak:
    def __init__(self, frames: int) -> None:
        self.painted = threading.Semaphore(1)
        self._frames = frames
        self._done = 0
        self._started_at = 0.0
        self._memory: list[float] = []

    def session(self, source: str, config: Config) -> LiveSession:
        """In place of pipeline.headless.live_session."""
        return LiveSession(
            config,
            LiveSource("soak", lambda: _InStep(self.painted), is_device=False),
            lambda: open_finder(config.finder),
            lambda: open_backend(config.backend, config.model),
        )

    def watch(self, window: MainWindow) -> None:
        """Counts the frames of a window, lets the next one come, and closes the window after the last."""
        self._window = window
        window.controller.analysed.connect(self._note)

    def _note(self, frame: Frame, result: Result) -> None:
        self._done += 1
        if self._done == 1:
            self._started_at = time.monotonic()
        if self._done % _MINUTE == 0:
            self._memory.append(resident_mb())
            seconds = time.monotonic() - self._started_at
            print(f"{self._done:7} frames, {seconds:5.0f} s, RSS {self._memory[-1]:.1f} MB", flush=True)
        if self._done < self._frames:
            QTimer.singleShot(0, self.painted.release)
        else:
            self.painted.release()  # Closing waits for the capture thread, which waits for this.
            self._window.close()

    def report(self) -> None:
        half = self._memory[len(self._memory) // 2 :]
        if half:
            print(f"second half: {min(half):.1f} to {max(half):.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=_HOUR)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--backend", default="auto")
    arguments = parser.parse_args()
    application = QApplication([])
    soak = _Soak(arguments.frames)
    headless.live_session = soak.session
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("notice_seen", True)
        config = load_config(None, [f"model={arguments.model}", f"backend={arguments.backend}"])
        window = MainWindow(config, settings, "demo")
        soak.watch(window)
        window.show()
        application.exec()
    soak.report()


if __name__ == "__main__":
    main()
