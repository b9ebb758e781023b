"""`fer-live analyze` on real photographs and real video."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import pandas as pd
import pytest

from fer_live.backends.registry import BACKENDS
from fer_live.core.modelcard import FER2013_LABELS
from tests.e2e.conftest import FER_LIVE, Run, Session, ctrl_c_reaches

pytestmark = pytest.mark.usefixtures("shipped_weights")

_CLIP, _GROUP = "single_face.mp4", "multi_face.jpg"
_FRAMES = {"demo": 240, "single_face": 72, "no_face": 95, "multi_face": 1, "photographs": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions of Größe")


@pytest.fixture(scope="module")
def sources(folder: Path, media: Path) -> list[str]:
    photographs = folder / "photographs"
    photographs.mkdir()
    for name in ("single_face.jpg", _GROUP, "0-f15-hao-ph.jpg"):
        shutil.copy(media / name, photographs)
    return ["demo", *(str(media / name) for name in (_CLIP, "no_face.mp4", _GROUP)), str(photographs)]


@pytest.fixture(scope="module")
def output(fer_live: Run, folder: Path, sources: list[str]) -> subprocess.CompletedProcess[str]:
    return fer_live(["analyze", *sources, "--out", folder / "out", "--json"])


@pytest.fixture(scope="module")
def sessions(output: subprocess.CompletedProcess[str], folder: Path) -> dict[str, Session]:
    assert output.returncode == 0, output.stderr
    return {name: Session(folder / "out" / name) for name in _FRAMES}


def test_only_the_choice_of_auto_is_said_beside_the_results(
    output: subprocess.CompletedProcess[str], sessions: dict[str, Session]
) -> None:
    (choice,) = output.stderr.splitlines()
    used = {session.facts["backend"]["name"] for session in sessions.values()}
    assert used == {choice.removeprefix("backend: ").partition(" (auto")[0]}
    assert all(f"; {name}: " in choice for name in list(BACKENDS)[: list(BACKENDS).index(*used)])


def test_each_source_is_one_json_object(
    output: subprocess.CompletedProcess[str], sources: list[str], sessions: dict[str, Session]
) -> None:
    objects = [json.loads(line) for line in output.stdout.splitlines()]
    assert [each["source"] for each in objects] == sources
    for each, (name, session) in zip(objects, sessions.items(), strict=True):
        assert Path(each["csv"]) == session.folder / "frames.csv"
        assert each["frames"] == _FRAMES[name]
        assert each["labelled_faces"] == (session.rows.status == "ok").sum()


@pytest.mark.parametrize("name", _FRAMES)
def test_session_keeps_to_its_definition(name: str, sessions: dict[str, Session]) -> None:
    rows, facts = sessions[name].rows, sessions[name].facts
    assert rows.frame_index.unique().tolist() == list(range(_FRAMES[name]))
    assert set(rows.status) <= {"ok", "no_face"}
    assert rows[["t_wall_iso", "infer_ms", "age_ms", "dropped_before"]].isna().all(axis=None)
    faces = rows[rows.status == "ok"]
    assert rows[rows.status == "no_face"].face_id.isna().all()
    if not faces.empty:
        probabilities = faces[[f"p_{label}" for label in FER2013_LABELS]]
        assert (probabilities.sum(axis=1) - 1).abs().max() < 1e-4
        assert (probabilities.idxmax(axis=1).str.removeprefix("p_") == faces.label).mean() > 0.99
        assert set(faces.label) <= set(FER2013_LABELS)
        assert set(faces.label_smoothed) <= {*FER2013_LABELS, "uncertain"}
        assert (faces[["w", "h"]] >= facts["config"]["finder"]["min_face_px"]).all(axis=None)
        assert (faces.detection_score >= facts["config"]["finder"]["min_score"]).all()
    assert facts["state"] == "closed"
    assert facts["counts"] == {
        "frames_captured": _FRAMES[name],
        "frames_analysed": _FRAMES[name],
        "frames_dropped": 0,
        "rows": len(rows),
        "faces": faces.face_id.nunique(),
    }
    assert set(rows.session_id) == {facts["session_id"]}
    assert facts["model_card"]["labels"] == list(FER2013_LABELS)


def test_demo_shows_faces_near_and_far(sessions: dict[str, Session]) -> None:
    rows = sessions["demo"].rows
    faces_a_frame = rows[rows.status == "ok"].groupby("frame_index").size()
    assert len(faces_a_frame) > 0.95 * _FRAMES["demo"]
    assert faces_a_frame.max() >= 3


def test_face_is_followed_from_frame_to_frame(sessions: dict[str, Session]) -> None:
    rows = sessions["single_face"].rows
    assert (rows.status == "ok").all()
    assert len(rows) == 72
    assert set(rows.face_id) == {1}
    assert rows.t_mono_s.diff().dropna().to_numpy() == pytest.approx(1 / 30, abs=1e-4)


def test_label_follows_the_face(sessions: dict[str, Session]) -> None:
    labels = sessions["single_face"].rows.label_smoothed
    assert labels.iloc[0] != "happy"
    assert labels.iloc[-1] == "happy"


def test_few_faces_are_seen_where_there_is_none(sessions: dict[str, Session]) -> None:
    assert (sessions["no_face"].rows.status == "no_face").mean() > 0.9


def test_group_is_found_and_numbered(sessions: dict[str, Session]) -> None:
    rows = sessions["multi_face"].rows
    assert rows.face_id.tolist() == [1, 2, 3, 4, 5]
    assert rows.t_mono_s.isna().all()


def test_photographs_stand_alone(sessions: dict[str, Session], media: Path) -> None:
    rows, facts = sessions["photographs"].rows, sessions["photographs"].facts
    assert facts["source"]["files"] == ["0-f15-hao-ph.jpg", "multi_face.jpg", "single_face.jpg"]
    assert rows.groupby("frame_index").face_id.count().tolist() == [1, 5, 1]
    assert rows.face_id.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert rows.t_mono_s.isna().all()
    # Alone or in a folder, a photograph gives the same.
    columns = ["x", "y", "w", "h", *(f"p_{label}" for label in FER2013_LABELS)]
    alone = sessions["multi_face"].rows[columns]
    pd.testing.assert_frame_equal(rows.loc[rows.frame_index == 1, columns].reset_index(drop=True), alone)


@pytest.mark.usefixtures("sessions")
def test_same_input_gives_same_bytes_under_a_new_name(fer_live: Run, folder: Path, sources: list[str]) -> None:
    again = fer_live(["analyze", *sources[:2], sources[3], sources[1], "--out", folder / "out", "--again"])
    assert again.returncode == 0, again.stderr
    assert f"{folder / 'out' / 'demo-2' / 'frames.csv'}: 240 frames, " in again.stdout
    for name, copy in (
        ("demo", "demo-2"),
        ("multi_face", "multi_face-2"),
        ("single_face", "single_face-2"),
        ("single_face", "single_face-3"),
    ):
        for file in ("frames.csv", "session.json"):
            content = (folder / "out" / name / file).read_bytes()
            assert (folder / "out" / copy / file).read_bytes() == content, (copy, file)


def test_sequence_video_and_settings(fer_live: Run, tmp_path: Path, media: Path) -> None:
    pictures = tmp_path / "сцена"
    pictures.mkdir()
    for number in range(4):
        shutil.copy(media / "single_face.jpg", pictures / f"{number}.jpg")
    arguments: list[str | Path] = [
        "--sequence",
        "5",
        "--video",
        "--set",
        "tracking.smoothing_ms=100",
        "--out",
        tmp_path,
    ]
    run = fer_live(["analyze", pictures, *arguments])
    assert run.returncode == 0, run.stderr
    session = Session(tmp_path / "сцена-2")  # the folder of the pictures has that name itself
    assert session.rows.face_id.tolist() == [1, 1, 1, 1]
    assert session.rows.t_mono_s.tolist() == pytest.approx([0, 0.2, 0.4, 0.6])
    assert session.facts["config"]["tracking"]["smoothing_ms"] == 100
    with av.open(str(session.folder / "overlay.mp4")) as video:
        times = [frame.time for frame in video.decode(video=0)]
    assert times == pytest.approx([0, 0.2, 0.4, 0.6], abs=1e-3)


def test_overlaid_video_has_every_frame_and_a_sure_finder_sees_no_face(
    fer_live: Run, tmp_path: Path, media: Path
) -> None:
    arguments: list[str | Path] = ["--video", "--set", "finder.min_score=0.7", "--out", tmp_path]
    run = fer_live(["analyze", media / _CLIP, media / "no_face.mp4", *arguments])
    assert run.returncode == 0, run.stderr
    assert set(Session(tmp_path / "no_face").rows.status) == {"no_face"}
    for name in ("single_face", "no_face"):
        with av.open(str(tmp_path / name / "overlay.mp4")) as video:
            assert len(list(video.decode(video=0))) == _FRAMES[name]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudo-terminal's two ends, ours and the process's."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    ours, theirs = pty.openpty()
    pytest.importorskip("termios").tcsetwinsize(theirs, (24, 100))
    yield ours, theirs
    os.close(ours)


def _read_until(terminal: int, pattern: str) -> str:
    """What a process writes to a terminal, up to a pattern or its end."""
    text = ""
    while not re.search(pattern, text):
        try:
            text += os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # Linux's way to say that the process is gone
            break
    return text


def test_ctrl_c_leaves_a_readable_session(
    tmp_path: Path, environment: dict[str, str], terminal: tuple[int, int]
) -> None:
    ours, theirs = terminal
    with ctrl_c_reaches():
        process = subprocess.Popen(
            [*FER_LIVE, "analyze", "demo", "--out", str(tmp_path)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        )
    os.close(theirs)
    shown = _read_until(ours, r"\b[1-9]\d*/240")
    process.send_signal(signal.SIGINT)
    shown += _read_until(ours, "(?!)")
    assert process.wait() == 130, shown
    assert "Traceback" not in shown
    assert "interrupted" in shown
    session = Session(tmp_path / "demo")
    assert session.facts["state"] == "interrupted"
    assert 0 < session.rows.frame_index.nunique() < 240
    assert session.facts["counts"]["rows"] == len(session.rows)
    assert session.rows.frame_index.unique().tolist() == list(range(session.facts["counts"]["frames_captured"]))
