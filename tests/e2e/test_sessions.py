"""`fer-live report` and `fer-live convert` on sessions on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Run
from tests.unit.review.conftest import face, result, session_in


def test_report_and_conversion_say_where_they_are(fer_live: Run, tmp_path: Path) -> None:
    session = session_in(tmp_path, *(result(index, index / 10, face()) for index in range(10)))
    page = tmp_path / "page.html"
    run = fer_live(["report", str(session), "--out", str(page)])
    assert (run.returncode, run.stderr, run.stdout) == (0, "", f"{page}\n")
    assert "Expression over time" in page.read_text(encoding="utf-8")


def test_several_sessions_are_converted_each_in_its_folder(fer_live: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    sessions = [session_in(tmp_path / name, result(0, 0.0, face())) for name in ("a", "b")]
    run = fer_live(["convert", str(tmp_path / "*" / sessions[0].name), "--to", "openface"])
    lines = "".join(f"{session / 'openface.csv'}\n" for session in sessions)
    assert (run.returncode, run.stderr, run.stdout) == (0, "", lines)
    run = fer_live(["convert", *map(str, sessions), "--to", "openface", "--out", str(tmp_path / "one.csv")])
    assert run.returncode == 2
    assert "--out names one file" in run.stderr


@pytest.mark.parametrize("command", [["report"], ["convert", "--to", "openface"]])
def test_nothing_takes_the_place_of_what_was_recorded(fer_live: Run, tmp_path: Path, command: list[str]) -> None:
    session = session_in(tmp_path, result(0, 0.0, face()))
    before = (session / "frames.csv").read_bytes()
    run = fer_live([*command, str(session), "--out", str(session / "frames.csv")])
    assert run.returncode == 2
    assert "is a part of a recorded session" in run.stderr
    assert (session / "frames.csv").read_bytes() == before


@pytest.mark.parametrize("command", [["report"], ["convert", "--to", "parquet"]])
def test_folder_that_is_no_session_is_named(fer_live: Run, tmp_path: Path, command: list[str]) -> None:
    run = fer_live([*command, str(tmp_path)])
    assert run.returncode == 2
    assert str(tmp_path) in run.stderr
    assert "Traceback" not in run.stderr


def test_layout_is_one_of_three(fer_live: Run, tmp_path: Path) -> None:
    run = fer_live(["convert", str(tmp_path), "--to", "xdf"])
    assert run.returncode == 2
    assert "'parquet'" in run.stderr
    assert "'py-feat'" in run.stderr
