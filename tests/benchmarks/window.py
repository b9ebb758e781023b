"""How the window keeps up: start-up, gaps of a 16 ms timer on the GUI thread, and memory over time.

python tests/benchmarks/window.py [--seconds S] [--model NAME]     (needs a display; xvfb-run will do)
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

TICK_MS = 16


def process_age() -> float:
    """Seconds since the system started this process (proc(5), field 22 of stat)."""
    ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def rss_mb() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--model", default="resnet18")
    arguments = parser.parse_args()

    from PyQt6.QtCore import QSettings, Qt, QTimer
    from PyQt6.QtWidgets import QApplication

    from fer_live.config import load_config
    from fer_live.ui.main_window import MainWindow

    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("notice_seen", True)
        window = MainWindow(load_config(None, [f"model={arguments.model}"]), settings, "demo")
        window.show()
        application.processEvents()
        print(f"window after {process_age():.2f} s")
        watch = _Watch(window, arguments.seconds)
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(watch.tick)
        timer.start(TICK_MS)
        application.exec()
    watch.report()


class _Watch:
    def __init__(self, window, seconds: float) -> None:  # type: ignore[no-untyped-def]
        self._window, self._seconds = window, seconds
        self._gaps: list[float] = []
        self._memory: list[tuple[float, float]] = []
        self._first_label_at: float | None = None
        self._last: float | None = None
        window.controller.analysed.connect(self._analysed)

    def _analysed(self, frame, result) -> None:  # type: ignore[no-untyped-def]
        if self._first_label_at is None and result.tracks:
            self._first_label_at = time.monotonic()
            self._last = None
            print(f"first labelled frame after {process_age():.2f} s")

    def tick(self) -> None:
        now = time.monotonic()
        if self._first_label_at is None:
            return
        if self._last is not None:
            self._gaps.append(1000 * (now - self._last))
        self._last = now
        since = now - self._first_label_at
        if not self._memory or since - self._memory[-1][0] >= self._seconds / 10:
            self._memory.append((since, rss_mb()))
        if since >= self._seconds:
            print(self._window.status_line.text())
            self._window.close()

    def report(self) -> None:
        import numpy as np

        p50, p99 = np.percentile(self._gaps, (50, 99))
        print(
            f"gaps of a {TICK_MS} ms timer: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(self._gaps):.1f} ms, "
            f"N {len(self._gaps)}"
        )
        print("RSS, MB:", ", ".join(f"{seconds:.0f} s {memory:.0f}" for seconds, memory in self._memory))


if __name__ == "__main__":
    main()
