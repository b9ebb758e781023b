"""A session on disk: a folder with frames.csv and session.json, readable at every moment."""

from __future__ import annotations

import itertools
import json
import math
import os
import platform
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fer_live import __version__, files
from fer_live.core.structs import Marker, Result
from fer_live.errors import RecordError
from fer_live.record.clocks import ClockPair, WallClock, iso
from fer_live.record.columns import GapReason, RowFormatter, count, csv_lines, one_line
from fer_live.record.rowfile import RowFile

SCHEMA_VERSION = 3
MARKER_COLUMNS = ("marker_id", "t_mono_s", "t_wall_iso", "frame_index", "name", "origin")
FRAMES_CSV, MARKERS_CSV, SESSION_JSON = "frames.csv", "markers.csv", "session.json"
REPORT_HTML = "report.html"
FRAMES_PARQUET, PY_FEAT_CSV, OPENFACE_CSV = "frames.parquet", "py-feat.csv", "openface.csv"
DERIVED = (REPORT_HTML, FRAMES_PARQUET, PY_FEAT_CSV, OPENFACE_CSV)
"""What `report` and `convert` make of frames.csv: it tells of rows that are gone once that is made anew."""
_PACKAGES = ("mediapipe", "numpy", "onnxruntime", "opencv-contrib-python")


class State(StrEnum):
    """Where a session is in its life."""

    RECORDING = "recording"
    CLOSED = "closed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    RECOVERED = "recovered"


def session_folders(parent: Path, name: str) -> Iterator[Path]:
    """Where a session of this name may go, in the order of preference: parent/name, name-2, name-3, ..."""
    # The root of a disk has no name, and Windows makes no folder whose name ends like this.
    name = name.rstrip(". ") or "session"
    yield parent / name
    yield from (parent / f"{name}-{number}" for number in itertools.count(2))


def make_folder(folder: Path) -> bool:
    """Makes a folder and those above it; False if something of its name is there. Raises RecordError."""
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        # Something above it may be in the way just as well, such as a link to a disk that is not there.
        if isinstance(error, FileExistsError) and os.path.lexists(folder):
            return False
        raise RecordError(
            f"Folder '{folder}' cannot be made ({error.strerror}).", "Choose a writable folder with --out."
        ) from error
    return True


def make_session_folder(parent: Path, name: str) -> Path:
    """Makes the first of session_folders that is not there yet; raises RecordError."""
    return next(folder for folder in session_folders(parent, name) if make_folder(folder))


def versions() -> dict[str, str]:
    """Versions of FER Live, Python and the packages that decide the numbers."""
    return {"fer-live": __version__, "python": platform.python_version()} | {
        package: version(package) for package in _PACKAGES
    }


@dataclass(frozen=True)
class Origin:
    """The frame that is number 0 of a session, and its capture time in s, which becomes t_mono_s = 0."""

    frame_index: int = 0
    captured_at: float = 0.0


class SessionWriter:
    """Writes one session; used and closed on one thread.

    Frames that were captured but not written between two results become one row with status `dropped`. Live sessions,
    which have a start_wall, also have a markers.csv.
    """

    def __init__(
        self,
        folder: Path,
        session_id: str,
        labels: tuple[str, ...],
        facts: Mapping[str, Any],
        start_wall: datetime | None = None,
        timed: bool = True,
        files: tuple[str, ...] = (),
        origin: Origin = Origin(),
    ) -> None:
        """Starts a session in an empty folder: headers first, so that every session has them. Raises RecordError.

        facts: what session.json says besides state and counts. start_wall: wall-clock time of the origin, for a live
        session. timed, files: see RowFormatter.
        """
        self.folder = folder
        self._wall = None if start_wall is None else WallClock(start_wall)
        self._facts = {"schema_version": SCHEMA_VERSION, "session_id": session_id, **facts, "versions": versions()}
        self._rows = RowFormatter(session_id, labels, self._wall, timed, files)
        self._counts = dict.fromkeys(("frames_captured", "frames_analysed", "frames_dropped", "rows"), 0)
        self._face_ids: set[int] = set()
        self._recounted: dict[str, int] = {}
        self._origin = origin
        self._last_s = 0.0
        self._gaps: deque[tuple[float, GapReason]] = deque()
        self._marker_count = 0
        self._state = State.RECORDING
        with ExitStack() as opened:
            self._file = self._open(FRAMES_CSV, self._rows.header(), opened)
            if self._wall is not None:
                self._markers = self._open(MARKERS_CSV, csv_lines([list(MARKER_COLUMNS)]), opened)
            self._write_facts()
            self._closing = opened.pop_all()

    def _open(self, name: str, header: str, opened: ExitStack) -> RowFile:
        file = RowFile(self.folder / name)
        opened.callback(file.close)
        file.append(header)
        file.flush()
        return file

    def write(self, result: Result) -> None:
        """Adds the rows of one frame, and before them one for the frames lost since the last.

        Frames from before the origin are passed over.
        """
        index = result.frame_index - self._origin.frame_index
        if index < 0:
            return
        self._write_gaps(result.captured_at)
        self._account(index)
        self._advance(result.captured_at)
        self._file.append(self._rows.result(replace(result, frame_index=index), self._last_s))
        self._counts["frames_captured"] += 1
        self._counts["frames_analysed"] += 1
        self._counts["rows"] += max(1, len(result.tracks))
        self._face_ids.update(track.face_id for track in result.tracks)

    def write_gap(self, since: float, reason: GapReason = GapReason.CAMERA_LOST) -> None:
        """Adds a row for a camera that has sent nothing since a capture time, in s, before the next frame or the end.

        Not at once: frames from before the gap may still be in analysis.
        """
        self._gaps.append((since, reason))

    def write_marker(self, marker: Marker) -> None:
        """Adds a marker of a live session, at once: there are few. One from before the origin is passed over."""
        time_s = marker.at - self._origin.captured_at
        if self._wall is None or time_s < 0:
            return
        self._marker_count += 1
        index = -1 if marker.frame_index is None else marker.frame_index - self._origin.frame_index
        frame = "" if index < 0 else str(index)
        moment = [f"{time_s:.6f}", iso(self._wall.at(time_s))]
        row = [str(self._marker_count), *moment, frame, one_line(marker.name), marker.origin]
        self._markers.append(csv_lines([row]))
        self._markers.flush()

    def resume(self, at: float, wall: datetime) -> None:
        """Adds a row for a computer that slept, and reckons from now on from these readings of both clocks."""
        self._add_gap(0, GapReason.SUSPENDED)
        if self._wall is not None:
            self._wall.add(ClockPair(at - self._origin.captured_at, wall))
        self._write_facts_meanwhile()

    def note(self, name: str, value: Any) -> None:
        """Says something more, or something else, in session.json. value: as JSON can hold it."""
        self._facts[name] = value
        self._write_facts_meanwhile()

    def _write_gaps(self, until: float = math.inf) -> None:
        while self._gaps and self._gaps[0][0] < until:
            since, reason = self._gaps.popleft()
            self._advance(since)
            self._add_gap(0, reason)

    def _advance(self, captured_at: float) -> None:
        self._last_s = max(self._last_s, captured_at - self._origin.captured_at)

    def _account(self, frames_captured: int) -> None:
        lost = frames_captured - self._counts["frames_captured"]
        if lost > 0:
            # Files wait until they are analysed.
            self._add_gap(lost, GapReason.UNREADABLE if self._wall is None else GapReason.SLOW)
            self._counts["frames_captured"] = frames_captured
            self._counts["frames_dropped"] += lost

    def _add_gap(self, lost: int, reason: GapReason) -> None:
        self._file.append(self._rows.gap(self._counts["frames_captured"], self._last_s, lost, reason))
        self._counts["rows"] += 1

    def keep_up(self) -> None:
        """Flushes and syncs what is due in all files; to be called a few times a second, also while one grows."""
        self._file.keep_up()
        if self._wall is not None:
            self._markers.keep_up()

    def close(self, state: State = State.CLOSED, frames_captured: int | None = None) -> None:
        """Ends the session. frames_captured: by the source, if some of the last were not analysed."""
        self._state = State.FAILED
        with ExitStack() as ending:
            ending.callback(self._write_last_facts)
            ending.push(self._closing)
            self._write_gaps()
            if frames_captured is not None:
                self._account(frames_captured - self._origin.frame_index)
            self._closing.close()
            self._state = state

    @property
    def counts(self) -> dict[str, int]:
        """What session.json calls counts, until now."""
        return self._recounted or {**self._counts, "faces": len(self._face_ids)}

    def _write_last_facts(self) -> None:
        if self._state is State.FAILED:
            # Not all that was counted is there: rows may have waited for the disk, or failed before they were counted.
            with suppress(OSError):
                self._recounted = count(self._file.content())
        self._write_facts()

    def _write_facts_meanwhile(self) -> None:
        # Rows may still go on. close() writes the same again, and raises what keeps it from that.
        with suppress(RecordError):
            self._write_facts()

    def _write_facts(self) -> None:
        clocks = {} if self._wall is None else {"clocks": self._wall.facts()}
        facts = {**self._facts, **clocks, "counts": self.counts, "state": self._state.value}
        replace_file(self.folder / SESSION_JSON, as_session_json(facts))


def as_session_json(facts: Mapping[str, Any]) -> str:
    """What session.json holds for these facts."""
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def replace_file(path: Path, text: str) -> None:
    """`files.replace_file`, whose failure is a RecordError."""
    try:
        files.replace_file(path, text.encode())
    except OSError as error:
        raise RecordError(
            f"'{path}' cannot be written ({error.strerror}).",
            "See that the folder is there and writable, and that its disk has space.",
        ) from error
