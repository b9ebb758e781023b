"""Several sources at once, interrupted in every way and gone on with, on real clips."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.e2e.conftest import FER_LIVE, Run, Session, ctrl_c_reaches
from tests.media import write_clip, write_network
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

_FOLDERS = ["demo", "single_face", "single_face-2"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, media: Path) -> list[str]:
    """The demo and two clips, of different content and one name."""
    other = tmp_path_factory.mktemp("other") / "single_face.mp4"
    shutil.copy(media / "no_face.mp4", other)
    return ["demo", str(media / "single_face.mp4"), str(other)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    network = write_network(tmp_path_factory.mktemp("model") / "tiny.onnx")
    return ["--model", str(network), "--backend", "onnx-cpu"]


Files = dict[str, bytes]


@pytest.fixture(scope="module")
def whole(fer_live: Run, sources: list[str], model: list[str], tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What an uninterrupted run in one process writes."""
    out = tmp_path_factory.mktemp("whole")
    run = fer_live(["analyze", *sources, *model, "--jobs", "1", "--out", out])
    assert (run.returncode, run.stderr) == (0, "")
    return _files(out)


def _files(out: Path) -> Files:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob("*/*"))}


def test_video_that_was_cut_off_is_said(fer_live: Run, model: list[str], tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    clip = write_clip(tmp_path / "clip.avi", list(noise))
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    run = fer_live(["analyze", clip, *model, "--out", tmp_path / "out"])
    assert run.returncode == 0
    frames = len(pd.read_csv(tmp_path / "out" / "clip" / "frames.csv"))
    assert f"warning: '{clip}' announces 40 frames, of which {frames} could be read." in run.stderr


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(environment: dict[str, str], sources: list[str], model: list[str], tmp_path: Path) -> Start:
    """Starts two jobs on the sources, in a process group of its own."""

    def begin() -> subprocess.Popen[str]:
        with ctrl_c_reaches():
            return subprocess.Popen(
                [*FER_LIVE, "analyze", *sources, *model, "--jobs", "2", "--out", str(tmp_path)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )

    return begin


def _wait_for_rows(out: Path) -> None:
    table = out / "demo" / "frames.csv"
    wait_until(lambda: table.exists() and table.read_bytes().count(b"\n") > 1, "rows of the demo", 120)


def _end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and output once nobody is left who could write any: the process and all its workers."""
    output, complaints = process.communicate()
    return process.returncode, output, complaints


def test_killed_in_the_middle_a_batch_goes_on(
    start: Start, fer_live: Run, sources: list[str], model: list[str], tmp_path: Path, whole: Files
) -> None:
    process = start()
    _wait_for_rows(tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    assert _end(process)[0] == -signal.SIGKILL
    states = {path.parent.name: json.loads(path.read_bytes())["state"] for path in tmp_path.glob("*/session.json")}
    assert states["demo"] == "recording"
    run = fer_live(["analyze", *sources, *model, "--jobs", "2", "--out", tmp_path, "--json"])
    assert (run.returncode, run.stderr) == (0, "")
    objects = [json.loads(line) for line in run.stdout.splitlines()]
    assert [each["source"] for each in objects] == sources
    assert [each["csv"] for each in objects] == [str(tmp_path / name / "frames.csv") for name in _FOLDERS]
    assert [each["skipped"] for each in objects] == [states.get(name) == "closed" for name in _FOLDERS]
    assert _files(tmp_path) == whole


def test_ctrl_c_ends_all_jobs(start: Start, tmp_path: Path) -> None:
    process = start()
    _wait_for_rows(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    code, _, complaints = _end(process)
    assert (code, complaints) == (130, "interrupted: what was finished until now is kept\n")
    session = Session(tmp_path / "demo")
    assert session.facts["state"] == "interrupted"
    assert session.facts["counts"]["rows"] == len(session.rows)


def _workers(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("needs /proc to tell a process's children")
    pids = [int(child) for child in children.read_text().split()]
    return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_ctrl_c_while_workers_load_is_as_quiet(start: Start) -> None:
    process = start()
    wait_until(lambda: _workers(process.pid), "a worker", 120)
    os.killpg(process.pid, signal.SIGINT)
    assert _end(process) == (130, "", "interrupted: what was finished until now is kept\n")


def test_workers_end_with_the_process_that_started_them(start: Start, tmp_path: Path) -> None:
    process = start()
    _wait_for_rows(tmp_path)
    process.kill()
    assert _end(process) == (-signal.SIGKILL, "", "")
    assert Session(tmp_path / "demo").facts["state"] == "interrupted"


def test_a_worker_that_dies_costs_its_source_alone(start: Start, sources: list[str], tmp_path: Path) -> None:
    process = start()
    _wait_for_rows(tmp_path)
    os.kill(_workers(process.pid)[0], signal.SIGKILL)
    code, output, complaints = _end(process)
    assert code == 2
    assert complaints.splitlines() == [
        f"error: The process that analysed '{sources[0]}' ended before it was done (exit code -9). "
        "If memory ran out, use fewer --jobs.",
        "error: 1 of 3 sources could not be analysed (see above).",
    ]
    assert [line.partition(":")[0] for line in output.splitlines()] == [
        str(tmp_path / name / "frames.csv") for name in _FOLDERS[1:]
    ]


def test_a_bad_file_among_good_ones(
    fer_live: Run, sources: list[str], model: list[str], tmp_path: Path, media: Path, whole: Files
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"\0" * 999)
    album = tmp_path / "album"
    album.mkdir()
    shutil.copy(media / "single_face.jpg", album / "a.jpg")
    (album / "b.jpg").touch()
    out = tmp_path / "out"
    run = fer_live(["analyze", bad, album, *sources[1:], *model, "--jobs", "2", "--out", out])
    assert run.returncode == 2
    assert [line.partition(". ")[0] for line in run.stderr.splitlines()] == [
        f"error: '{bad}' cannot be read as a video",
        f"warning: left out: '{album / 'b.jpg'}' is empty (0 bytes)",
        "error: 1 of 4 sources could not be analysed (see above).",
    ]
    assert pd.read_csv(out / "album" / "frames.csv").status.tolist() == ["ok", "dropped"]
    done = {name: content for name, content in _files(out).items() if not name.startswith("album")}
    assert done == {name: content for name, content in whole.items() if not name.startswith("demo")}
