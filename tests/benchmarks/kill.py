"""Kills a live recording at random moments, and looks at what is left of it.

python tests/benchmarks/kill.py [--kills N] [--model NAME] [--video] [--seed N]

Each time `fer-live record demo` is started anew and killed with SIGKILL some time after its session has begun. It tells
how many rows it has handed to the writer through memory that outlives it, so that what was lost is counted exactly.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fer_live.cli import main as fer_live
from fer_live.core.structs import Result
from fer_live.record.recorder import Recorder
from fer_live.record.session import FRAMES_CSV, SESSION_JSON
from fer_live.review.reading import open_session

_EARLIEST_S, _LATEST_S = 0.5, 4.0
_ACCOUNT = struct.Struct("qd")  # rows handed to the writer, and the session time of the last
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Remains:
    """What a kill left: whether a line was torn on disk, the rows read back, and what of rows and video was lost."""

    is_torn: bool
    rows: int
    lost_rows: int
    lost_s: float
    lost_video_s: float | None


def record(account: Path, arguments: list[str]) -> int:
    """The process that is going to be killed: fer-live, with its rows counted on their way to the writer."""
    offer = Recorder.offer
    with account.open("r+b") as file, mmap.mmap(file.fileno(), _ACCOUNT.size) as memory:
        rows = 0

        def counting(self: Recorder, item: object) -> None:
            nonlocal rows
            if isinstance(item, Result) and item.frame_index >= self.origin.frame_index:
                rows += max(1, len(item.tracks))
                _ACCOUNT.pack_into(memory, 0, rows, item.captured_at - self.origin.captured_at)
            offer(self, item)  # type: ignore[arg-type]

        Recorder.offer = counting  # type: ignore[method-assign,assignment]
        sys.argv = ["fer-live", *arguments]
        return fer_live()


def kill_one(folder: Path, model: str, with_video: bool, after_s: float) -> Remains:
    """Starts a recording into an empty folder, kills it, and opens its session; raises AssertionError if it is bad."""
    account = folder / "account"
    account.write_bytes(bytes(_ACCOUNT.size))
    sessions = folder / "sessions"
    video = ["--set", "recording.video=true"] if with_video else []
    command = [sys.executable, __file__, "--child", str(account)]
    command += ["record", "demo", "--out", str(sessions), "--model", model, *video]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        session = _wait_for_session(sessions, child)
        time.sleep(after_s)
        assert child.poll() is None, "the recording ended by itself"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    rows, last_s = _ACCOUNT.unpack(account.read_bytes())
    return _look_at(session, rows, last_s, with_video)


def _wait_for_session(sessions: Path, child: subprocess.Popen[bytes]) -> Path:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and child.poll() is None:
        for path in sessions.glob(f"*/{SESSION_JSON}"):
            return path.parent
        time.sleep(0.01)
    raise AssertionError("no session began")


def _look_at(folder: Path, handed_over: int, last_s: float, with_video: bool) -> Remains:
    is_torn = not (folder / FRAMES_CSV).read_bytes().endswith(b"\n")
    session = open_session(folder)
    assert session.facts["state"] == "recovered", session.facts["state"]
    assert open_session(folder).frames.equals(session.frames)
    lines = (folder / FRAMES_CSV).read_text().splitlines()
    assert len({line.count(",") for line in lines}) == 1, "a row is torn"
    rows = session.frames.filter(pl.col("status") != "dropped")
    assert rows["frame_index"].is_sorted()
    assert session.frames["t_mono_s"].is_sorted()
    lost = handed_over - len(rows)
    assert lost >= 0, "rows from nowhere"
    written_s = float(rows["t_mono_s"][-1]) if len(rows) else 0.0
    lost_video_s = last_s - _end_of(folder / "video.mp4") if with_video else None
    return Remains(is_torn, len(rows), lost, last_s - written_s if lost else 0.0, lost_video_s)


def _end_of(path: Path) -> float:
    """Time of a video's last picture, s; 0 if there is none yet."""
    import av

    if not path.exists() or path.stat().st_size == 0:
        return 0.0
    with av.open(str(path)) as container:
        return max((picture.time for picture in container.decode(video=0)), default=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--model", default="mobilevit_xxs")
    parser.add_argument("--video", action="store_true", help="record the picture too")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    load_before = os.getloadavg()[0]
    remains: list[Remains] = []
    failures: list[str] = []
    for number in range(arguments.kills):
        after_s = rng.uniform(_EARLIEST_S, _LATEST_S)
        with tempfile.TemporaryDirectory() as folder:
            try:
                remains.append(kill_one(Path(folder), arguments.model, arguments.video, after_s))
            except Exception as error:  # one bad session is what is looked for, and must not hide the others
                failures.append(f"kill {number}, {after_s:.3f} s after its start: {error!r}")
    load = f"load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after"
    print(f"{arguments.model}, {load}, on {os.cpu_count()} cores")
    print(f"kills {arguments.kills}, sessions opened {len(remains)}, torn on disk {sum(r.is_torn for r in remains)}")
    for name in ("rows", "lost_rows", "lost_s", *(["lost_video_s"] if arguments.video else [])):
        values = [getattr(each, name) for each in remains]
        print(f"{name}: median {statistics.median(values):.2f}, min {min(values):.2f}, max {max(values):.2f}")
    print(*failures, sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        sys.exit(record(Path(sys.argv[2]), sys.argv[3:]))
    main()
