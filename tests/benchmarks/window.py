"""How the window starts and keeps up: times from the start of the process, gaps of a 16 ms timer, memory over time.

python tests/benchmarks/window.py [--seconds S] [--model NAME] [--backend NAME]     (needs a display; xvfb-run will do)
"""

from __future__ import annotations

import argparse
import os
import sys
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
    parser.add_argument("--backend", default="auto")
    arguments = parser.parse_args()

    # The command itself, but for what happens once its application is there.
    from fer_live import cli
    from fer_live.ui import app

    app.run_app = lambda config, source, session: watch(config, source, arguments.seconds)
    sys.argv = ["fer-live", "app", "demo", "--model", arguments.model, "--backend", arguments.backend]
    cli.main()


def watch(config, source: str, seconds: float) -> int:  # type: ignore[no-untyped-def]
    """Opens the window, closes it so long after the first label, and prints what was seen."""
    from PyQt6.QtCore import QEvent, QObject, QSettings, Qt, QTimer
    from PyQt6.QtWidgets import QApplication

    from fer_live.ui.main_window import MainWindow

    class FirstPaint(QObject):
        """Later than its first paint event, the window is on the screen."""

        def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
            if event is not None and event.type() == QEvent.Type.Paint:
                window.removeEventFilter(self)
                QTimer.singleShot(0, lambda: print(f"window after {process_age():.2f} s"))
                timer.start(TICK_MS)
            return False

    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("notice_seen", True)
        window = MainWindow(config, settings, source)
        sights = _Sights(window, seconds)
        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(sights.tick)
        first_paint = FirstPaint()
        window.installEventFilter(first_paint)
        window.show()
        application.exec()
    sights.report()
    return 0


class _Sights:
    def __init__(self, window, seconds: float) -> None:  # type: ignore[no-untyped-def]
        self._window, self._seconds = window, seconds
        self._gaps: dict[str, list[float]] = {"until the first label": [], "from then on": []}
        self._memory: list[tuple[float, float]] = []
        self._first_label_at: float | None = None
        self._last: float | None = None
        window.controller.analysed.connect(self._analysed)

    def _analysed(self, frame, result) -> None:  # type: ignore[no-untyped-def]
        if self._first_label_at is None and result.tracks:
            self._first_label_at = time.monotonic()
            print(f"first labelled frame after {process_age():.2f} s")

    def tick(self) -> None:
        now = time.monotonic()
        phase = "until the first label" if self._first_label_at is None else "from then on"
        if self._last is not None:
            self._gaps[phase].append(1000 * (now - self._last))
        self._last = now
        if self._first_label_at is None:
            return
        since = now - self._first_label_at
        if not self._memory or since - self._memory[-1][0] >= self._seconds / 10:
            self._memory.append((since, rss_mb()))
        if since >= self._seconds:
            print(self._window.status_line.text())
            self._window.close()

    def report(self) -> None:
        import numpy as np

        for phase, gaps in self._gaps.items():
            p50, p99 = np.percentile(gaps, (50, 99))
            print(
                f"gaps of a {TICK_MS} ms timer {phase}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(gaps):.1f} ms, "
                f"N {len(gaps)}"
            )
        print("RSS, MB:", ", ".join(f"{seconds:.0f} s {memory:.0f}" for seconds, memory in self._memory))


if __name__ == "__main__":
    main()
