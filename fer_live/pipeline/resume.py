"""What earlier runs left in a folder: sessions that need not be made again, and folders that may be used."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fer_live.config import LIVE_SETTINGS
from fer_live.errors import RecordError
from fer_live.files import PARTIAL
from fer_live.record.recovery import is_being_written, read_facts, whole_lines
from fer_live.record.session import (
    DERIVED,
    FRAMES_CSV,
    SCHEMA_VERSION,
    SESSION_JSON,
    State,
    make_folder,
    session_folders,
    versions,
)
from fer_live.record.video import OVERLAY_MP4

_DECIDING = ("schema_version", "kind", "source", "model_card", "backend", "config", "versions")


class EarlierSessions:
    """The sessions below a folder as they are when this is made. None is given out twice."""

    def __init__(self, parent: Path, are_used: bool = True) -> None:
        """are_used: False to find none, so that every source gets a new folder."""
        self._parent = parent
        self._now = {"schema_version": SCHEMA_VERSION, "versions": versions()}
        self._are_used = are_used
        self._same: dict[str, list[Path]] = {}
        self._given: set[Path] = set()
        self._names: set[str] = set()
        for path in sorted(parent.glob(f"*/{SESSION_JSON}")) if are_used else ():
            with suppress(RecordError):  # a file of that name which is not ours
                self._same.setdefault(_fingerprint(read_facts(path.parent)), []).append(path.parent)

    def finished(self, facts: Mapping[str, Any], with_video: bool) -> Path | None:
        """The whole session that a source with these facts (files.source_facts) gave, if there is one."""
        wanted = (FRAMES_CSV, OVERLAY_MP4) if with_video else (FRAMES_CSV,)
        for folder in self._left(facts):
            if _state(folder) == State.CLOSED and all((folder / name).is_file() for name in wanted):
                return self._give(folder)
        return None

    def room(self, facts: Mapping[str, Any]) -> Path:
        """Where such a session goes: the folder of one that was not finished, or else a free one."""
        cut_off = (folder for folder in self._left(facts) if _is_cut_off(folder))
        return self._give(next(cut_off, None) or self._free(facts["source"]["name"]))

    def _give(self, folder: Path) -> Path:
        self._given.add(folder)
        self._names.add(_on_any_disk(folder.name))
        return folder

    def _left(self, facts: Mapping[str, Any]) -> list[Path]:
        folders = self._same.get(_fingerprint({**facts, **self._now}), [])
        return [folder for folder in folders if folder not in self._given]

    def _free(self, name: str) -> Path:
        return next(
            folder
            for folder in session_folders(self._parent, name)
            if _on_any_disk(folder.name) not in self._names
            and (not os.path.lexists(folder) or (self._are_used and _was_never_begun(folder)))
        )


def claim_folder(folder: Path) -> None:
    """Makes the folder of a session, or clears one that was begun and is neither finished nor being written.

    What was made of its rows goes with them. Raises RecordError.
    """
    if make_folder(folder):
        return
    if not _is_cut_off(folder) and not _was_never_begun(folder):
        raise RecordError(f"Folder '{folder}' was taken by another run in the meantime.", "Run the command again.")
    for name in (FRAMES_CSV, OVERLAY_MP4, *DERIVED):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(
                f"'{folder / name}' cannot be replaced ({error.strerror}).", "Close what has it open, or use --again."
            ) from error


def _on_any_disk(name: str) -> str:
    """The same for names that are one on disks of macOS and Windows: Clip and clip, ö of one or two characters."""
    return unicodedata.normalize("NFC", name.casefold())


def _fingerprint(facts: Mapping[str, Any]) -> str:
    """The same for sessions with the same rows: what decides them, without the settings that only matter live."""
    deciding = {key: facts.get(key) for key in _DECIDING}
    if isinstance(deciding["config"], dict):
        deciding["config"] = {key: each for key, each in deciding["config"].items() if key not in LIVE_SETTINGS}
    return json.dumps(deciding, sort_keys=True)


def _state(folder: Path) -> str | None:
    """What session.json says of the state; None if there is no session in the folder."""
    try:
        return str(read_facts(folder)["state"])
    except RecordError:
        return None


def _is_cut_off(folder: Path) -> bool:
    return _state(folder) not in (None, State.CLOSED) and not is_being_written(folder)


def _was_never_begun(folder: Path) -> bool:
    """Whether a run was killed here before its first row: then nothing else is in the folder than what it makes first.

    A table with rows and no session.json may be somebody's own.
    """
    try:
        names = {path.name for path in folder.iterdir()}
        has_rows = FRAMES_CSV in names and whole_lines(folder / FRAMES_CSV).count(b"\n") > 1
    except OSError:
        return False
    return names <= {FRAMES_CSV, SESSION_JSON + PARTIAL} and not has_rows and not is_being_written(folder)
