"""Sessions as one HTML page that needs nothing else: no script, no network, fit for screen and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from fer_live import __version__, ethics
from fer_live.core.overlay import english
from fer_live.page import pages_of
from fer_live.record.columns import Status
from fer_live.record.session import REPORT_HTML, replace_file
from fer_live.review import figures, summary
from fer_live.review.reading import Session, open_session

_MOST_FACES = 8
_OTHERS = 2**62
"""Sorts behind every face id."""
_REASONS = {
    "too_small": "too small",
    "turned": "turned away",
    "slow": "not analysed in time",
    "unreadable": "not readable in the file",
    "camera_lost": "camera lost",
    "suspended": "computer asleep",
    "screen_locked": "camera lost, screen locked",
    "unknown": "not noted",
}
_STATES = {
    "recording": "This session is still being recorded: the report shows what is on disk so far.",
    "recovered": "This session was cut off. Its rows are complete up to the last second before that.",
    "failed": "This session ended with an error. Its rows are complete up to there.",
    "interrupted": "This session was ended before its source was.",
}


@dataclass(frozen=True)
class Section:
    """What the page shows of one session; curves are SVG and empty where it took no time or has no such values."""

    session: Session
    state: str
    rows: pl.DataFrame
    faces: Mapping[int, str]
    curves: Mapping[str, Markup]
    share_bars: Markup
    outcomes: Markup
    latency: Markup
    shares: list[dict[str, Any]]
    interval_shares: list[dict[str, Any]]
    transitions: Mapping[tuple[str, str], int]
    low_quality: list[dict[str, Any]]
    gaps: list[dict[str, Any]]
    latencies: list[dict[str, Any]]


def write_report(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Writes the page and returns its path. Raises RecordError if a session cannot be read or the page not written.

    out: by default report.html in the session's folder, or in the working folder if there are several.
    """
    path = out or (folders[0] / REPORT_HTML if len(folders) == 1 else Path(REPORT_HTML))
    replace_file(path, render([open_session(folder) for folder in folders]))
    return path


def render(sessions: Sequence[Session]) -> str:
    """The page as text."""
    pages = pages_of("fer_live.review")
    pages.filters |= {"percent": _percent, "duration": _duration, "english": english, "reason": _reason}
    return pages.get_template(REPORT_HTML).render(
        sections=[_section(session) for session in sessions],
        notice=ethics.notice(*(session.facts["model_card"] for session in sessions)),
        measured=ethics.measured,
        colours=figures.colours,
        outcome_colours=figures.OUTCOMES,
        latency_colours={name: colour for name, (_, colour) in figures.LATENCIES.items()},
        version=__version__,
    )


def _section(session: Session) -> Section:
    rows = summary.rows_with_time(session)
    faces = _faces(summary.shares(rows, session.labels, "face_id"))
    pooled = rows.with_columns(
        face_id=pl.when(pl.col("face_id").is_null() | pl.col("face_id").is_in(list(faces)))
        .then("face_id")
        .otherwise(_OTHERS)
    )
    by_face = summary.shares(pooled, session.labels, "face_id")
    intervals = summary.marker_intervals(session)
    by_interval = summary.shares(pooled, session.labels, "interval", "face_id").join(intervals, on="interval")
    return Section(
        session=session,
        state=_STATES.get(session.facts.get("state", ""), ""),
        rows=rows,
        faces=faces,
        **_drawn(session, rows, faces, by_face),
        shares=by_face.to_dicts(),
        interval_shares=by_interval.to_dicts() if len(intervals) > 1 else [],
        transitions=summary.transitions(rows) if session.is_timed else {},
        low_quality=summary.low_quality(rows).to_dicts(),
        gaps=summary.gaps(session.frames).to_dicts(),
        latencies=summary.latencies(rows).to_dicts(),
    )


def _drawn(session: Session, rows: pl.DataFrame, faces: Mapping[int, str], shares: pl.DataFrame) -> dict[str, Any]:
    bars = shares.filter(pl.col("held") > 0)
    names = [faces[face] for face in bars["face_id"]]
    drawn = {"share_bars": figures.share_of_time(bars, names, session.labels) if names else ""}
    curves, outcomes, latency = {}, "", ""
    if session.end_s > 0 and not rows.is_empty():
        axis = figures.time_axis(session, rows, figures.EXPRESSION_FRAMES)
        for face, name in faces.items():
            own = rows.filter(pl.col("face_id") == face, pl.col("status") == Status.OK)
            if not own.is_empty():
                curves[name] = Markup(figures.expression_over_time(own, session.labels, axis))
        axis = figures.time_axis(session, rows, figures.RATE_FRAMES)
        outcomes = figures.outcomes_over_time(session, axis)
        latency = figures.latency_over_time(rows, axis) if rows["age_ms"].count() else ""
    return {"curves": curves} | {
        name: Markup(svg) for name, svg in (drawn | {"outcomes": outcomes, "latency": latency}).items()
    }


def _faces(shares: pl.DataFrame) -> dict[int, str]:
    """Names of the faces that were seen longest, by id, and of all others together."""
    ranked = shares.sort("held", "low_held", "face_id", descending=[True, True, False])
    longest = ranked["face_id"].head(_MOST_FACES).sort()
    others = len(shares) - len(longest)
    together = {_OTHERS: f"{others} other{'' if others == 1 else 's'}"} if others else {}
    return {face: f"Face {face}" for face in longest} | together


def _percent(share: float | None) -> str:
    """'42 %'; an en dash where there is none."""
    return "\N{EN DASH}" if share is None else f"{100 * share:.0f} %"


def _duration(seconds: float) -> str:
    """'0.53 s', '12.3 s', '4:05 min' or '1:02:03 h'."""
    if seconds < 60:
        return f"{seconds:.2f} s" if 0 < seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d} h"


def _reason(reason: str) -> str:
    return _REASONS.get(reason, reason)
