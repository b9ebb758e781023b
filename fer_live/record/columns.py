"""The columns of frames.csv, written once: docs/csv.md is their definition."""

from __future__ import annotations

import csv
import io
from enum import StrEnum

from fer_live.core.structs import Result, Track
from fer_live.record.clocks import WallClock, iso

_BEFORE = ("session_id", "frame_index", "t_mono_s", "t_wall_iso", "status", "face_id", "x", "y", "w", "h")
_AFTER = ("label", "confidence", "label_smoothed", "confidence_smoothed", "infer_ms", "age_ms", "dropped_before")
_LAST = ("valence", "arousal", "reason", "source_file")
_LINE_ENDS = str.maketrans("\r\n", "\ufffd\ufffd")
_FACE_FIELDS = 6  # face_id, x, y, w, h, detection_score
_LABEL_FIELDS = 4  # label, confidence, label_smoothed, confidence_smoothed


class Status(StrEnum):
    """What a row says of its frame."""

    OK = "ok"
    NO_FACE = "no_face"
    LOW_QUALITY = "low_quality"
    DROPPED = "dropped"


class GapReason(StrEnum):
    """Why frames are missing."""

    SLOW = "slow"
    UNREADABLE = "unreadable"
    CAMERA_LOST = "camera_lost"
    SUSPENDED = "suspended"
    SCREEN_LOCKED = "screen_locked"


def column_names(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns, in order, for the labels of a model card."""
    return (*_BEFORE, "detection_score", *(f"p_{label}" for label in labels), *_AFTER, *_LAST)


class RowFormatter:
    """Turns results into CSV text.

    wall: gives the wall-clock times of a live session; None for an analysed file, whose rows then have neither
    wall-clock time nor latency and are the same each time. timed: False for stills, which have no time. files: what
    each frame was read from; empty if that is the same for all.
    """

    def __init__(
        self,
        session_id: str,
        labels: tuple[str, ...],
        wall: WallClock | None,
        timed: bool = True,
        files: tuple[str, ...] = (),
    ) -> None:
        self._session_id = session_id
        self._labels = labels
        self._wall = wall
        self._timed = timed
        # As for markers (one_line), but other spaces stay: the name is to find the file by.
        self._files = [name.translate(_LINE_ENDS) for name in files]
        self._no_face = [""] * (_FACE_FIELDS + len(labels) + _LABEL_FIELDS)

    def header(self) -> str:
        """The first line."""
        return csv_lines([list(column_names(self._labels))])

    def result(self, result: Result, time_s: float) -> str:
        """One line a face, or one line for a frame without a face. time_s: capture time since the start."""
        latency = self._latency(result)
        if not result.tracks:
            before = self._moment(result.frame_index, time_s, Status.NO_FACE)
            return csv_lines([[*before, *self._no_face, *latency, "", "", "", "", self._file(result.frame_index)]])
        return csv_lines([self._face_row(result.frame_index, time_s, latency, track) for track in result.tracks])

    def gap(self, frame_index: int, time_s: float, dropped: int, reason: GapReason) -> str:
        """One line for dropped frames that were captured but not analysed, the first of them frame_index."""
        before = self._moment(frame_index, time_s, Status.DROPPED)
        after = ["", "", str(dropped), "", "", reason.value]
        return csv_lines([[*before, *self._no_face, *after, self._file(frame_index)]])

    def _face_row(self, frame_index: int, time_s: float, latency: list[str], track: Track) -> list[str]:
        before = self._moment(frame_index, time_s, Status.LOW_QUALITY if track.reason else Status.OK)
        affect = ["", ""] if track.affect is None else [f"{value:.4f}" for value in track.affect]
        return [*before, *self._face(track), *latency, "", *affect, track.reason, self._file(frame_index)]

    def _file(self, frame_index: int) -> str:
        return self._files[frame_index] if self._files else ""

    def _moment(self, frame_index: int, time_s: float, status: Status) -> list[str]:
        wall = "" if self._wall is None else iso(self._wall.at(time_s))
        return [self._session_id, str(frame_index), f"{time_s:.6f}" if self._timed else "", wall, status.value]

    def _latency(self, result: Result) -> list[str]:
        if self._wall is None:
            return ["", ""]
        infer_ms = f"{result.timings_ms['infer']:.3f}" if result.tracks else ""
        return [infer_ms, f"{1000 * (result.finished_at - result.captured_at):.1f}"]

    def _face(self, track: Track) -> list[str]:
        best = int(track.probabilities.argmax())
        return [
            str(track.face_id),
            *(f"{value:.1f}" for value in track.left_top_width_height),
            f"{track.score:.4f}",
            *(f"{value:.5f}" for value in track.probabilities.tolist()),
            self._labels[best],
            f"{track.probabilities[best]:.5f}",
            track.shown_label(self._labels),
            f"{track.confidence:.5f}",
        ]


def one_line(name: str) -> str:
    """A marker's name without line ends: a row of two lines, cut between them, could not be told from a whole one."""
    return " ".join(name.split())


def csv_lines(rows: list[list[str]]) -> str:
    """Rows as CSV text, each with its line end."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def count(rows: bytes) -> dict[str, int]:
    """What session.json calls counts, from the whole lines of frames.csv."""
    lines = csv.reader(io.StringIO(rows.decode(), newline=""))
    columns = {name: place for place, name in enumerate(next(lines, ()))}
    analysed: set[str] = set()
    faces: set[str] = set()
    row_count = dropped = 0
    for row in lines:
        row_count += 1
        if row[columns["status"]] == Status.DROPPED:
            dropped += int(row[columns["dropped_before"]])
            continue
        analysed.add(row[columns["frame_index"]])
        faces.add(row[columns["face_id"]])
    return {
        "frames_captured": len(analysed) + dropped,
        "frames_analysed": len(analysed),
        "frames_dropped": dropped,
        "rows": row_count,
        "faces": len(faces - {""}),
    }
