"""Commands on sessions that are on disk: report and convert."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

LAYOUT_NAMES = ("parquet", "py-feat", "openface")


def add_session_commands(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    report = commands.add_parser(
        "report",
        help="write one HTML page on recorded or analysed sessions",
        description="Writes one HTML page that needs nothing else: curves, shares of time, gaps, latency, limits.",
    )
    report.add_argument("sessions", nargs="+", type=Path, metavar="SESSION", help="a session's folder")
    report.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page (default: report.html in the session's folder; of several sessions, in this one)",
    )
    report.set_defaults(run=_report)
    convert = commands.add_parser(
        "convert",
        help="write a session's rows in another tool's layout",
        description="Writes a session's rows in another tool's layout (docs/csv.md).",
    )
    convert.add_argument("session", type=Path, metavar="SESSION", help="a session's folder")
    convert.add_argument("--to", required=True, choices=LAYOUT_NAMES, dest="layout", help="the layout")
    convert.add_argument("--out", type=Path, metavar="FILE", help="the file (default: in the session's folder)")
    convert.set_defaults(run=_convert)


def _report(arguments: argparse.Namespace) -> None:
    # Imported late, as polars and matplotlib are: other commands need not wait for them.
    from fer_live.review.report import write_report

    print(write_report(arguments.sessions, arguments.out))


def _convert(arguments: argparse.Namespace) -> None:
    from fer_live.review.convert import convert_session

    print(convert_session(arguments.session, arguments.layout, arguments.out))
