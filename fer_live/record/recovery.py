"""Sessions whose writer was killed: whether somebody still writes, which rows are whole, and what they count."""

from __future__ import annotations

import csv
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from fer_live import files
from fer_live.errors import RecordError
from fer_live.record.columns import count
from fer_live.record.session import FRAMES_CSV, MARKERS_CSV, SESSION_JSON, State, as_session_json


def whole_lines(path: Path) -> bytes:
    """What a row file holds, without a torn last line; raises OSError.

    After a power loss a file may end in zero bytes, space that was taken but not yet written; they are no rows either.
    """
    content = path.read_bytes().partition(b"\0")[0]
    return content[: content.rfind(b"\n") + 1]


def is_being_written(folder: Path) -> bool:
    """Whether a process that lives writes this session. Where that cannot be known it is taken to be so."""
    try:
        opened = os.open(folder / FRAMES_CSV, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:  # it may not be read
        return True
    try:
        return not files.lock(opened)
    except OSError:
        return True
    finally:
        os.close(opened)


def read_facts(folder: Path) -> dict[str, Any]:
    """What session.json says; raises RecordError."""
    path = folder / SESSION_JSON
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"'{path}' cannot be read ({error.strerror}).", "Choose a session's folder.") from error
    except ValueError as error:
        raise RecordError(f"'{path}' is not valid JSON: {error}.", "Choose another session.") from error
    if not isinstance(facts, dict) or "state" not in facts:
        raise RecordError(f"'{path}' has no 'state'.", "Choose a folder that FER Live wrote.")
    return facts


def recover(folder: Path) -> bool:
    """Whether a session was cut off, and nobody writes it any more; then marks it as recovered.

    Cuts torn last lines off, counts anew and writes state `recovered`. Where the folder cannot be written the files
    stay as they are, and whole_lines still passes a torn line over. Raises RecordError if session.json or frames.csv is
    no session's.
    """
    facts = read_facts(folder)
    if facts["state"] != State.RECORDING or is_being_written(folder):
        return False
    with suppress(OSError):
        frames = folder / FRAMES_CSV
        try:
            counts = count(whole_lines(frames)) if frames.exists() else {}
        except (ValueError, LookupError, csv.Error) as error:
            raise RecordError(f"'{frames}' is not a table of FER Live.", "Restore it from a copy.") from error
        for path in (frames, folder / MARKERS_CSV):
            if path.exists():
                os.truncate(path, len(whole_lines(path)))
        text = as_session_json({**facts, "counts": counts, "state": State.RECOVERED})
        files.replace_file(folder / SESSION_JSON, text.encode())
    return True
