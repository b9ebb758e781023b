"""What is in FER2013, as one HTML page: `python -m training.explore`.

Classes and imbalance, pixels, samples, pictures that stand in it twice, contradictory labels, agreement with FER+.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from fer_live.console import exit_code
from training import exploration
from training.dataset import Fer2013, load_fer2013
from training.explore_report import render
from training.files import replace_file, require_writable
from training.options import add_data


def explore(data: Fer2013, votes: Path | None) -> str:
    """The page about a data set; votes: FER+'s fer2013new.csv. Raises DataError unless those belong to its rows."""
    agreement = None if votes is None else exploration.agreement(data, votes)
    rows = exploration.gather(data)
    repeats, pairs = exploration.repeats(rows)
    record: dict[str, Any] = {
        "validation_made": data.validation_made,
        "classes": exploration.class_counts(rows),
        "pixels": exploration.pixel_figures(rows),
        "repeats": repeats,
        "contradictions": exploration.contradictions(rows),
        "agreement": agreement,
    }
    return render(rows, record, pairs)


def _parser() -> argparse.ArgumentParser:
    about = "Writes one HTML page on what is in FER2013. It shows faces of the data set: do not publish it."
    parser = argparse.ArgumentParser(prog="python -m training.explore", description=about)
    add = parser.add_argument
    add_data(parser)
    add("--votes", type=Path, metavar="CSV", help="FER+'s fer2013new.csv: adds how far its voters agree with labels")
    add("--out", type=Path, default=Path("report.html"), metavar="HTML", help="the page (default: %(default)s)")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_writable(arguments.out.parent, "--out")
    page = explore(load_fer2013(arguments.data), arguments.votes)
    replace_file(arguments.out, page.encode(), "Choose another --out.")
    print(f"written: {arguments.out}")


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
