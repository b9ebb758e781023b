"""Commands on sessions that are on disk: report and convert."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fer_live.console import expanded
from fer_live.errors import RecordError

LAYOUT_NAMES = ("parquet", "py-feat", "openface")


def add_session_commands(commands: Any) -> None:
    """Adds the commands to a parser's subparsers."""
    report = commands.add_parser(
        "report",
        help="write one HTML page on recorded or analysed sessions",
        description="Writes one HTML page that needs nothing else: curves, shares of time, gaps, latency, limits.",
    )
    report.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or a pattern")
    report.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page (default: report.html in the session's folder; of several sessions, in this one)",
    )
    report.set_defaults(run=_report)
    convert = commands.add_parser(
        "convert",
        help="write the rows of sessions in another tool's layout",
        description="Writes the rows of sessions in another tool's layout (docs/csv.md).",
    )
    convert.add_argument("sessions", nargs="+", metavar="SESSION", help="a session's folder, or a pattern")
    convert.add_argument("--to", required=True, choices=LAYOUT_NAMES, dest="layout", help="the layout")
    convert.add_argument("--out", type=Path, metavar="FILE", help="the file (default: in the session's folder)")
    convert.set_defaults(run=_convert)


def _report(arguments: argparse.Namespace) -> None:
    # Imported late, as polars and matplotlib are: other commands need not wait for them.
    from fer_live.review.report import write_report

    _keep_what_was_recorded(arguments.out)
    print(write_report([Path(name) for name in expanded(arguments.sessions)], arguments.out))


def _convert(arguments: argparse.Namespace) -> None:
    from fer_live.review.convert import convert_session

    _keep_what_was_recorded(arguments.out)
    sessions = expanded(arguments.sessions)
    if arguments.out is not None and len(sessions) > 1:
        raise RecordError("--out names one file, for one session.", "Without it each session gets its own.")
    for session in sessions:
        print(convert_session(Path(session), arguments.layout, arguments.out))


def _keep_what_was_recorded(out: Path | None) -> None:
    """Raises RecordError if a page or table were to take the place of a session's own file."""
    from fer_live.record.cameravideo import VIDEO_MP4
    from fer_live.record.session import FRAMES_CSV, MARKERS_CSV, SESSION_JSON
    from fer_live.record.video import OVERLAY_MP4

    own = {FRAMES_CSV, MARKERS_CSV, SESSION_JSON, VIDEO_MP4, OVERLAY_MP4}
    if out is not None and out.name.lower() in own and (out.parent / SESSION_JSON).exists():
        raise RecordError(f"'{out}' is a part of a recorded session.", "Choose another name with --out.")
