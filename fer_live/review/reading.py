"""A session folder read back from disk, whatever ended its recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fer_live.errors import RecordError
from fer_live.record.columns import column_names
from fer_live.record.recovery import read_facts, recover, whole_lines
from fer_live.record.session import FRAMES_CSV, MARKER_COLUMNS, MARKERS_CSV, SESSION_JSON, State

_TEXTS = ("session_id", "t_wall_iso", "status", "label", "label_smoothed", "reason", "source_file", "name", "origin")
_WHOLE_NUMBERS = ("frame_index", "face_id", "dropped_before", "marker_id")


@dataclass(frozen=True)
class Session:
    """One session.

    folder: where it is. facts: session.json. frames: the rows of frames.csv in order, with the columns of docs/csv.md:
    text as String, counts and ids as Int64, all else as Float64; an empty field is null, and so is a column that an
    older session lacks. markers: the rows of markers.csv with MARKER_TYPES, never null but for t_wall_iso and
    frame_index; without rows if there are no markers.
    """

    folder: Path
    facts: Mapping[str, Any]
    frames: pl.DataFrame
    markers: pl.DataFrame

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the model card, in order."""
        return tuple(self.facts["model_card"]["labels"])

    @property
    def is_timed(self) -> bool:
        """Whether its rows have times; pictures that stand alone do not."""
        return not self.frames["t_mono_s"].is_null().all()

    @property
    def end_s(self) -> float:
        """Time of the last row, s; 0 without times."""
        return float(self.frames.select(pl.col("t_mono_s").max().fill_null(0.0)).item())


def open_session(folder: Path) -> Session:
    """Reads a session folder; a torn last line of its tables is left out. Raises RecordError if it cannot be read.

    One that was cut off is marked as recovered, on disk where that can be written.
    """
    was_cut_off = recover(folder)
    facts = read_facts(folder)
    if was_cut_off:
        facts["state"] = State.RECOVERED.value
    frames = {name: _type_of(name) for name in column_names(_labels(facts, folder))}
    return Session(folder, facts, _read_table(folder / FRAMES_CSV, frames), read_markers(folder))


def read_markers(folder: Path) -> pl.DataFrame:
    """See Session.markers; a name may be '', never null. Raises RecordError."""
    path = folder / MARKERS_CSV
    markers = _read_table(path, MARKER_TYPES)
    if markers.select(pl.any_horizontal(pl.col("marker_id", "t_mono_s").is_null().any())).item():
        raise _damaged(path, "has a marker without a number or a time")
    return markers.with_columns(pl.col("name", "origin").fill_null(""))


def _labels(facts: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    card = facts.get("model_card")
    labels = card.get("labels") if isinstance(card, dict) else None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise _damaged(folder / SESSION_JSON, "has no list of labels in its model card")
    return tuple(labels)


def _read_table(path: Path, types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A CSV with these columns first, missing ones as null; without rows if there is no file or no whole line in it."""
    try:
        whole = whole_lines(path)
    except FileNotFoundError:
        whole = b""
    except OSError as error:
        raise RecordError(f"'{path}' cannot be read ({error.strerror}).", "Check its permissions.") from error
    if not whole:
        return pl.DataFrame(schema=dict(types))
    header = whole[: whole.index(b"\n")].decode(errors="replace").split(",")
    try:
        table = pl.read_csv(
            whole, infer_schema=False, schema_overrides={name: types[name] for name in header if name in types}
        )
    except pl.exceptions.PolarsError as error:
        raise _damaged(path, "is not a table of FER Live") from error
    missing = [pl.lit(None, of_type).alias(name) for name, of_type in types.items() if name not in header]
    return table.with_columns(missing).select(*types, pl.exclude(*types))


def _type_of(name: str) -> pl.DataType:
    if name in _TEXTS:
        return pl.String()
    return pl.Int64() if name in _WHOLE_NUMBERS else pl.Float64()


MARKER_TYPES = {name: _type_of(name) for name in MARKER_COLUMNS}
"""Columns of markers.csv, in order, and their types."""


def _damaged(path: Path, what: str) -> RecordError:
    return RecordError(f"'{path}' {what}.", "If it was edited by hand, restore it from a copy.")
