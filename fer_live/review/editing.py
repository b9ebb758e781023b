"""What a review may change in a session: its markers, and whether it is there at all.

Markers are read again before each change, since the recorder or another window may have added some after the session
was opened.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl

from fer_live.errors import RecordError
from fer_live.record.columns import Status, one_line
from fer_live.record.recovery import is_being_written
from fer_live.record.session import FRAMES_CSV, MARKERS_CSV, SESSION_JSON, replace_file
from fer_live.review.reading import MARKER_TYPES, Session, read_markers

ADDED = "review"
"""Origin of a marker that was added afterwards."""


def add_marker(session: Session, at_s: float, name: str) -> Session:
    """A marker at a time of the session, s; saved before it returns. Raises RecordError, and then nothing changed."""
    session = _as_on_disk(session)
    highest = session.markers["marker_id"].max()
    marker_id = 1 + (highest if isinstance(highest, int) else 0)
    values = {"marker_id": marker_id, **_moment(session, at_s), "name": one_line(name), "origin": ADDED}
    row = pl.DataFrame([values], schema=MARKER_TYPES)
    return _save(session, pl.concat([session.markers, row], how="diagonal"))


def rename_marker(session: Session, marker_id: int, name: str) -> Session:
    """Another name; see add_marker."""
    return _change(session, marker_id, {"name": one_line(name)})


def move_marker(session: Session, marker_id: int, at_s: float) -> Session:
    """Another time; see add_marker."""
    return _change(session, marker_id, _moment(session, at_s))


def delete_marker(session: Session, marker_id: int) -> Session:
    """One marker less; see add_marker."""
    return put_back(session, marker_id, session.markers.clear())


def put_back(session: Session, marker_id: int, row: pl.DataFrame) -> Session:
    """A marker as it was. row: the one with that id of an earlier Session.markers, or none if there was none yet.

    See add_marker.
    """
    session = _as_on_disk(session)
    others = session.markers.filter(pl.col("marker_id") != marker_id)
    return _save(session, pl.concat([others, row], how="diagonal"))


def delete_session(session: Session) -> None:
    """Deletes the folder with all that is in it; raises RecordError."""
    folder = session.folder
    is_session = not folder.is_symlink() and all((folder / name).is_file() for name in (FRAMES_CSV, SESSION_JSON))
    if not is_session:
        raise RecordError(f"'{folder}' is not a session's folder any more.", "Delete it by hand.")
    if is_being_written(folder):
        raise RecordError(f"'{folder}' is still being recorded.", "Stop the recording first.")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise RecordError(
            f"'{folder}' cannot be deleted ({error.strerror}); what was deleted until then is gone.",
            "Close programs that use it, see that you may write there, and delete the rest by hand.",
        ) from error


def _moment(session: Session, at_s: float) -> dict[str, object]:
    """Time, wall-clock time and frame of a moment, from the last analysed frame until then."""
    analysed = session.frames.filter(pl.col("status") != Status.DROPPED, pl.col("t_mono_s") <= at_s)
    before = analysed.tail(1).row(0, named=True) if len(analysed) else {}
    wall = before.get("t_wall_iso")
    if wall is not None:
        moment = datetime.fromisoformat(wall) + timedelta(seconds=at_s - before["t_mono_s"])
        wall = moment.isoformat(timespec="milliseconds")
    return {"t_mono_s": at_s, "t_wall_iso": wall, "frame_index": before.get("frame_index")}


def _change(session: Session, marker_id: int, values: dict[str, object]) -> Session:
    session = _as_on_disk(session)
    changed = [
        pl.when(pl.col("marker_id") == marker_id).then(pl.lit(value, MARKER_TYPES[name])).otherwise(name).alias(name)
        for name, value in values.items()
    ]
    return _save(session, session.markers.with_columns(changed))


def _as_on_disk(session: Session) -> Session:
    if is_being_written(session.folder):
        raise RecordError(f"'{session.folder}' is still being recorded.", "Edit its markers when that is over.")
    return replace(session, markers=read_markers(session.folder))


def _save(session: Session, markers: pl.DataFrame) -> Session:
    in_order = markers.sort("t_mono_s", maintain_order=True)
    replace_file(session.folder / MARKERS_CSV, in_order.write_csv(float_precision=6))
    return replace(session, markers=in_order)
