"""What a user gets wrong ends in one clear sentence and exit code 2, never in a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.cli import main
from fer_live.core.modelcard import FER2013_LABELS
from tests.e2e.conftest import FER_LIVE, Run
from tests.media import quarters, write_card, write_clip, write_network, write_picture

Fail = Callable[[Sequence[str | Path]], str]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_network(tmp_path / "tiny.onnx")


@pytest.fixture
def fail(tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Fail:
    """Runs `fer-live analyze`, in this process, and returns its one line of complaint."""

    def run(arguments: Sequence[str | Path]) -> str:
        usual = ["--model", network, "--backend", "onnx-cpu", "--out", tmp_path / "out"]
        monkeypatch.setattr(sys, "argv", ["fer-live", "analyze", *map(str, [*usual, *arguments])])
        capfd.readouterr()
        assert main() == 2
        output, complaint = capfd.readouterr()
        assert output == ""
        assert complaint.startswith("error: ")
        assert complaint.count("\n") == 1
        assert complaint.endswith(".\n")
        return complaint

    return run


@pytest.mark.parametrize("name", ["absent.mp4", "absent.jpg", "absent", "absent/demo"])
def test_wrong_path(fail: Fail, tmp_path: Path, name: str) -> None:
    assert "There is no file" in fail([tmp_path / name])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["bad.mp4", "bad.MOV", "bad.jpg", "bad.png"])
def test_file_of_zero_bytes(fail: Fail, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    complaint = fail([tmp_path / name])
    assert name in complaint
    assert "is empty (0 bytes)" in complaint


@pytest.mark.parametrize(("name", "what"), [("bad.mp4", "cannot be read as a video"), ("bad.jpg", "not a picture")])
def test_garbage(fail: Fail, tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(2).bytes(4000))
    assert what in fail([tmp_path / name])


def test_torn_video(fail: Fail, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [quarters()] * 5)
    clip.write_bytes(clip.read_bytes()[:800])
    assert "cannot be read as a video" in fail([clip])


def test_empty_name_is_not_the_current_folder(fail: Fail) -> None:
    assert "The name of a source is empty ('')" in fail([""])


def test_folder_without_pictures(fail: Fail, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no pictures" in fail([tmp_path / "empty"])


def test_folder_of_videos(fail: Fail, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").touch()
    assert f"as {tmp_path / 'clips'}/*.mp4" in fail([tmp_path / "clips"])
    assert "a.mp4' is empty" in fail([tmp_path / "clips" / "*.mp4"])


def test_stream(fail: Fail) -> None:
    complaint = fail(["rtsp://user:secret@127.0.0.1/live"])
    assert "'rtsp://127.0.0.1/live' is a stream" in complaint
    assert "fer-live record" in complaint


@pytest.mark.parametrize("text", ["many", "0", "nan"])
def test_length_that_is_no_number(
    text: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["fer-live", "record", "demo", "--seconds", text])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert f"argument --seconds: {text} is not a number above 0" in capfd.readouterr().err


def test_folder_in_which_no_picture_can_be_read(fail: Fail, tmp_path: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "a.jpg").touch()
    (album / "b.jpg").write_bytes(b"no picture")
    complaint = fail([album])
    assert f"No picture of folder '{album}' can be read" in complaint
    assert "b.jpg' is not a picture" in complaint
    assert json.loads((tmp_path / "out" / "album" / "session.json").read_text())["state"] == "failed"


def test_one_bad_source_does_not_stop_the_others(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    good = write_picture(tmp_path / "good.png", quarters())
    usual = ["--model", network, "--backend", "onnx-cpu", "--out", tmp_path / "out"]
    arguments = [tmp_path / "absent.mp4", good, *usual]
    monkeypatch.setattr(sys, "argv", ["fer-live", "analyze", *map(str, arguments)])
    assert main() == 2
    output, complaints = capfd.readouterr()
    assert "good/frames.csv: 1 frame, 0 labels (one a face in each frame)" in output
    lines = complaints.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    assert "absent.mp4" in lines[0]
    assert "1 of 2 sources" in lines[1]


def test_sequence_of_a_video(fail: Fail) -> None:
    assert "--sequence only applies to folders" in fail(["demo", "--sequence", "25"])


def test_unknown_model(fail: Fail) -> None:
    assert "Unknown model 'vgg'" in fail(["demo", "--model", "vgg"])


def test_missing_weights(fail: Fail) -> None:
    assert "Weights 'absent.onnx' do not exist. Check the path." in fail(["demo", "--model", "absent.onnx"])


def test_weights_that_differ_from_their_card(fail: Fail, network: Path) -> None:
    network.write_bytes(network.read_bytes() + b"\0")
    assert "differ from the SHA-256 in their model card" in fail(["demo"])


def test_labels_that_differ_from_the_weights(fail: Fail, network: Path) -> None:
    write_card(network, FER2013_LABELS[:6])
    assert "gives 7 probabilities but its card has 6 labels" in fail(["demo"])


def test_missing_card(fail: Fail, network: Path) -> None:
    network.with_suffix(".json").unlink()
    assert "tiny.json' cannot be read" in fail(["demo"])


def test_damaged_card(fail: Fail, network: Path) -> None:
    network.with_suffix(".json").write_text("{")
    assert "tiny.json' is invalid" in fail(["demo"])


def test_weights_that_are_no_network(fail: Fail, network: Path) -> None:
    network.write_bytes(b"no network")
    write_card(network)
    assert "not a network that ONNX Runtime can load" in fail(["demo"])


def test_unknown_backend(fail: Fail) -> None:
    assert "Unknown backend 'abacus'" in fail(["demo", "--backend", "abacus"])


def test_backend_that_cannot_run_here(fail: Fail, network: Path) -> None:
    reason = "there is no 'tiny.int8.onnx' beside 'tiny.onnx'"
    assert f"Backend 'onnx-cpu-int8' cannot run here: {reason}." in fail(["demo", "--backend", "onnx-cpu-int8"])


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("finder.colour=1", "Unknown setting 'finder.colour'"),
        ("finder.min_score=9", "less than or equal to 1"),
        ("finder.min_score=high", "valid number"),
        ("finder.min_score", "is not an assignment"),
        ("affect=yes", "should be true or false"),
        ("tracking.hysteresis=0.9", "must stay below 1"),
    ],
)
def test_bad_setting(fail: Fail, assignment: str, complaint: str) -> None:
    assert complaint in fail(["demo", "--set", assignment])


def test_bad_settings_file(fail: Fail, tmp_path: Path) -> None:
    assert "absent.toml' cannot be read" in fail(["demo", "--config", tmp_path / "absent.toml"])
    (tmp_path / "bad.toml").write_text("model =")
    assert "bad.toml' are not valid TOML" in fail(["demo", "--config", tmp_path / "bad.toml"])


def test_folder_that_cannot_be_written(fail: Fail, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made (Not a directory)" in fail(["demo", "--out", tmp_path / "file"])


def test_full_disk_keeps_the_rows(fail: Fail, small_disk: Path) -> None:
    complaint = fail(["demo", "--out", small_disk])
    assert "No space left on device" in complaint
    # Whichever file is in turn when the disk is full.
    assert "Free some space" in complaint or "its disk has space" in complaint
    rows = pd.read_csv(small_disk / "demo" / "frames.csv")
    assert len(rows) > 20
    assert rows.frame_index.unique().tolist() == list(range(rows.frame_index.nunique()))
    assert set(rows.status) <= {"ok", "no_face"}


def test_as_a_process_too(fer_live: Run, tmp_path: Path, network: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"\0" * 999)
    run = fer_live(["analyze", tmp_path / "bad.mp4", "--model", network, "--out", tmp_path])
    assert run.returncode == 2
    assert run.stdout == ""
    choice, *complaints = run.stderr.splitlines()
    assert choice.startswith("backend: ")
    assert complaints == [
        f"error: '{tmp_path / 'bad.mp4'}' cannot be read as a video. "
        "Check that it plays in a video player, or convert it to MP4 (H.264)."
    ]


def test_name_that_the_shell_cannot_show(tmp_path: Path, network: Path, environment: dict[str, str]) -> None:
    picture = write_picture(tmp_path / "one.png", quarters()).rename(tmp_path / "жест.png")
    command = [*FER_LIVE, "analyze", picture, tmp_path / "нет.png", "--model", network, "--out", tmp_path / "out"]
    run = subprocess.run(command, env={**environment, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True)
    assert run.returncode == 2
    assert f"{tmp_path / 'out'}/\\u0436\\u0435\\u0441\\u0442/frames.csv: 1 frame, " in run.stdout
    assert "Traceback" not in run.stderr
    assert (tmp_path / "out" / "жест" / "frames.csv").exists()


def test_reader_who_has_left(environment: dict[str, str]) -> None:
    command, pipe = [*FER_LIVE, "cameras"], subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe) as run:
        assert run.stdout is not None and run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 141
