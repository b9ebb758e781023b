"""How long the review page takes to open a one-hour session, to scroll in it and to follow the mouse.

QT_QPA_PLATFORM=offscreen python tests/benchmarks/review_page.py [--rounds N] [--seconds S]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtWidgets import QApplication
from pyqtgraph import PlotWidget
from review import SECONDS, make_session

from fer_live.review.reading import open_session
from fer_live.ui.banner import Banner
from fer_live.ui.review_page import ReviewPage

_SIZE = (1080, 660)
_STEPS = 50
_SHARES = (0.5, 0.1, 0.005)
"""Parts of the session that are seen while it scrolls."""


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of wall time and of CPU time."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run()
    return 1000 * (time.perf_counter() - wall_s), 1000 * (time.process_time() - cpu_s)


def report(name: str, times: list[tuple[float, float]]) -> None:
    parts = (
        f"{kind} {statistics.median(each):.0f} ({min(each):.0f}-{max(each):.0f})"
        for kind, each in zip(("wall", "CPU"), zip(*times, strict=True), strict=True)
    )
    print(f"{name:24} {'   '.join(parts)}   N {len(times)}")


def measure(folder: Path, seconds: float, rounds: int) -> None:
    """Every figure includes painting what it changed."""
    page = ReviewPage(Banner())
    page.resize(*_SIZE)
    page.show()
    QApplication.processEvents()

    def open_it() -> None:
        page.show_session(open_session(folder))
        page.grab()

    report("open and paint", [timed(open_it) for _ in range(rounds)])
    report("other face", [timed(lambda: (page.step_face(1), page.grab())) for _ in range(rounds)])
    plot = page.timeline.findChild(PlotWidget)
    for share in _SHARES:

        def scroll(step: int, share: float = share) -> None:
            left = (1 - share) * seconds * step / _STEPS
            plot.setXRange(left, left + share * seconds, padding=0)
            plot.grab()

        report(f"scroll, {100 * share:g} % seen", [timed(lambda step=step: scroll(step)) for step in range(_STEPS)])
    times = [seconds * step / _STEPS for step in range(_STEPS)]
    report("mouse", [timed(lambda at=at: (page.timeline.pointed.emit(at), page.moment.grab())) for at in times])
    page.release()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        measure(make_session(Path(folder) / "session", arguments.seconds), arguments.seconds, arguments.rounds)
    application.quit()


if __name__ == "__main__":
    main()
