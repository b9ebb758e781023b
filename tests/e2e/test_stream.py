"""The live path on a network camera that is cut and comes back, and without a window on the command line."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fer_live.capture.listing import list_cameras
from fer_live.capture.video import VideoSource
from fer_live.config import Config
from fer_live.pipeline.headless import live_session
from fer_live.pipeline.live import LiveSession
from fer_live.pipeline.status import LiveState
from tests.e2e.conftest import FER_LIVE, Run, Session
from tests.streams import PASSWORD, USER, Line, MjpegServer
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("shipped_weights")


@pytest.fixture(scope="module")
def clip(media: Path) -> list[NDArray[np.uint8]]:
    """Two seconds of a real face."""
    with VideoSource(media / "single_face.mp4") as video:
        return [frame.image for frame in islice(iter(video.read, None), 60)]


@pytest.fixture
def server(clip: list[NDArray[np.uint8]]) -> Iterator[MjpegServer]:
    with MjpegServer(clip) as server:
        yield server


@pytest.fixture
def session(server: MjpegServer) -> Iterator[LiveSession]:
    session = live_session(server.url, Config())
    session.start()
    yield session
    server.line = Line.CUT
    session.stop()


def _assert_no_secret(text: str) -> None:
    assert PASSWORD not in text
    assert USER not in text


def _frames(session: LiveSession) -> int:
    return session.status().frames


@pytest.mark.parametrize("line", [Line.SILENT, Line.CUT])
def test_stream_that_is_cut_and_comes_back(
    line: Line, server: MjpegServer, session: LiveSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wait_until(lambda: session.status().state is LiveState.RUNNING, "the stream")
    session.start_recording(tmp_path)
    wait_until(lambda: _frames(session) > 40)
    server.line = line
    wait_until(lambda: session.status().state is LiveState.STALLED)
    wait_until(lambda: session.status().error is not None)
    _assert_no_secret(str(session.status().error))
    server.line = Line.UP
    before = _frames(session)
    wait_until(lambda: session.status().state is LiveState.RUNNING and _frames(session) > before + 20)
    assert session.stop() == []

    (folder,) = tmp_path.iterdir()
    recorded = Session(folder)
    rows, counts = recorded.rows, recorded.facts["counts"]
    assert recorded.facts["state"] == "closed"
    assert recorded.facts["source"]["name"] == server.public_url
    gaps = rows[(rows.status == "dropped") & (rows.dropped_before == 0)]
    assert len(gaps) == 1
    assert rows.loc[gaps.index[0] + 1 :, "frame_index"].min() > rows.loc[: gaps.index[0] - 1, "frame_index"].max()
    assert rows.frame_index.is_monotonic_increasing
    assert rows.t_mono_s.is_monotonic_increasing
    assert counts["frames_captured"] == counts["frames_analysed"] + counts["frames_dropped"]
    assert "ok" in set(rows.status[: gaps.index[0]])
    assert "ok" in set(rows.status[gaps.index[0] + 1 :])
    for path in folder.iterdir():
        _assert_no_secret(path.read_text())
    _assert_no_secret(caplog.text)


def test_stop_while_the_stream_is_silent(server: MjpegServer, session: LiveSession) -> None:
    wait_until(lambda: session.status().state is LiveState.RUNNING, "the stream")
    server.line = Line.SILENT
    wait_until(lambda: session.status().state is LiveState.STALLED)
    assert session.stop() == []


def test_stop_while_the_stream_is_opened_again_does_not_wait_for_it(
    server: MjpegServer, session: LiveSession, logged_warnings: list[str]
) -> None:
    wait_until(lambda: session.status().state is LiveState.RUNNING, "the stream")
    server.line = Line.SILENT
    wait_until(lambda: session.status().error is not None)
    wait_until(lambda: server.clients > 1, "another try")
    session.stop()
    wait_until(lambda: not session.is_alive(), "the end of the try")
    assert all("capture" in line for line in logged_warnings)
    logged_warnings.clear()


def test_recording_a_stream_from_the_command_line(server: MjpegServer, fer_live: Run, tmp_path: Path) -> None:
    done = fer_live(["record", server.url, "--out", tmp_path, "--seconds", "1.5", "--json"])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    recorded = Session(Path(report["csv"]).parent)
    assert recorded.facts["state"] == "closed"
    assert report["frames_captured"] == recorded.facts["counts"]["frames_captured"] > 10
    text = done.stdout + done.stderr + "".join(path.read_text() for path in recorded.folder.iterdir())
    _assert_no_secret(text)


def test_stream_that_refuses_is_said_without_the_password(server: MjpegServer, fer_live: Run, tmp_path: Path) -> None:
    server.line = Line.CUT
    done = fer_live(["record", server.url, "--out", tmp_path, "--seconds", "1"])
    assert done.returncode == 2
    assert f"Stream '{server.public_url}' does not answer." in done.stderr
    assert server.refused > 0
    _assert_no_secret(done.stdout + done.stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_polite_kill_closes_the_recording(environment: dict[str, str], tmp_path: Path) -> None:
    command = [*FER_LIVE, "record", "demo", "--out", str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: any(_rows(path) > 5 for path in tmp_path.glob("*/frames.csv")), "rows", 120)
    process.terminate()
    output, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    assert "frames, " in output
    (folder,) = tmp_path.iterdir()
    assert Session(folder).facts["state"] == "closed"


def _rows(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_recording_the_demo(fer_live: Run, tmp_path: Path) -> None:
    done = fer_live(["record", "demo", "--out", tmp_path, "--seconds", "3", "--json"])
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    recorded = Session(Path(report["csv"]).parent)
    rows = recorded.rows
    assert recorded.facts["state"] == "closed"
    assert recorded.facts["source"]["name"] == "demo"
    assert f"backend: {recorded.facts['backend']['name']} (auto" in done.stderr
    assert rows.t_mono_s.iloc[0] == 0
    assert rows.t_mono_s.iloc[-1] == pytest.approx(3, abs=0.5)
    assert rows.face_id.notna().sum() > 10
    wall = pd.to_datetime(rows.t_wall_iso)
    assert ((wall - wall[0]).dt.total_seconds() - rows.t_mono_s).abs().max() < 0.002
    captured = rows.loc[rows.status != "dropped", "frame_index"].nunique() + rows.dropped_before.sum()
    assert captured == report["frames_captured"]


def test_cameras_are_listed(fer_live: Run) -> None:
    done = fer_live(["cameras", "--json"])
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [vars(camera) for camera in list_cameras()]
    shown = fer_live(["cameras"]).stdout
    assert all(camera.name in shown for camera in list_cameras())
    assert shown
