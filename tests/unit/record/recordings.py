"""Recordings that wait to be killed: python -m tests.unit.record.recordings FOLDER..., one in each, in own processes.

Prints their process ids. In FOLDER/rows each keeps the number of rows that it has handed to its writer.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fer_live.config import RecordingConfig
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Result, Track
from fer_live.record.recorder import Recorder
from fer_live.record.session import Origin

ROWS = struct.Struct("q")
_PERIOD_S = 0.005
_FACTS = {"kind": "record", "model_card": {"labels": list(FER2013_LABELS)}}


def record(folder: Path) -> None:
    """Records until it is killed."""
    start = time.perf_counter()
    settings = RecordingConfig(warn_below_mb=0, stop_below_mb=0)
    recorder = Recorder(folder, FER2013_LABELS, _FACTS, datetime.now(UTC), Origin(0, start), settings)
    threading.Thread(target=recorder.run, args=(threading.Event(),)).start()
    pause, index = threading.Event(), 0
    with (folder / "rows").open("r+b") as file:
        memory = mmap.mmap(file.fileno(), ROWS.size)
        while recorder.error is None:
            ROWS.pack_into(memory, 0, index + 1)
            recorder.offer(_result(index, time.perf_counter()))
            index += 1
            pause.wait(_PERIOD_S)


def _result(index: int, now: float) -> Result:
    probabilities = np.full(7, 1 / 7, np.float32)
    track = Track(1, np.array([0, 0, 50, 60], np.float32), 0.9, probabilities, probabilities, 0, 1, 0.0)
    return Result(index, now, now, (track,), {"infer": 4.0})


def main() -> None:
    for name in sys.argv[1:]:
        folder = Path(name)
        folder.mkdir()
        (folder / "rows").write_bytes(bytes(ROWS.size))
        child = os.fork()
        if child == 0:
            record(folder)
            os._exit(1)
        print(child, flush=True)
    for _ in sys.argv[1:]:
        os.wait()


if __name__ == "__main__":
    main()
