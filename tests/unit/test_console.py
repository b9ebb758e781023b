from __future__ import annotations

from pathlib import Path

import pytest
from tqdm import tqdm

from fer_live.config import Config
from fer_live.console import exit_code, expanded, tell_choice
from fer_live.errors import SourceError
from tests.fakes import TableBackend


def test_a_progress_bar_is_not_drawn_over_the_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        bar = iter(tqdm([1], leave=False))
        for _ in bar:
            raise SourceError("'a.jpg' is no picture.", "Remove it.")

    assert exit_code(command) == 2
    (line,) = (line for line in capsys.readouterr().err.split("\n") if "error:" in line)
    assert line.rpartition("\r")[2] == "error: 'a.jpg' is no picture. Remove it."


def test_patterns_are_the_files_that_they_stand_for(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4", "[1].mp4", "c.txt"):
        (tmp_path / name).touch()
    names = ["demo", str(tmp_path / "*.mp4"), str(tmp_path / "[1].mp4"), str(tmp_path / "*.avi")]
    videos = [str(tmp_path / name) for name in ("[1].mp4", "a.mp4", "b.mp4")]
    assert expanded(names) == ["demo", *videos, str(tmp_path / "[1].mp4"), str(tmp_path / "*.avi")]


def _raise(error: BaseException) -> None:
    raise error


def test_success_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


def test_what_the_user_can_fix_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(SourceError("There is no file 'a.mp4'.", "Check the path."))) == 2
    assert capsys.readouterr() == ("", "error: There is no file 'a.mp4'. Check the path.\n")


def test_an_error_without_a_hint_ends_in_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(SourceError("There is no file."))) == 2
    assert capsys.readouterr().err == "error: There is no file.\n"


def test_foreign_text_over_several_lines_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(SourceError("It says:\n  first\n\n  second", "Try again."))) == 2
    assert capsys.readouterr().err == "error: It says: first second Try again.\n"


def test_choice_of_auto_is_one_line_with_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    backend = TableBackend()
    backend.passed_over = ("tensorrt: no driver", "onnx-cuda: It says:\n  first\n")
    tell_choice(Config(), backend)
    assert capsys.readouterr() == ("", "backend: table (auto; tensorrt: no driver; onnx-cuda: It says: first)\n")


def test_first_choice_of_auto_needs_no_reason(capsys: pytest.CaptureFixture[str]) -> None:
    tell_choice(Config(), TableBackend())
    assert capsys.readouterr().err == "backend: table (auto)\n"


def test_backend_asked_for_by_name_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_choice(Config(backend="table"), TableBackend())
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: _raise(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: _raise(ZeroDivisionError()))
