"""README and docs hold: their links lead somewhere, their commands and settings exist, their Python runs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_live.cli import main
from fer_live.config import Config, describe_settings
from tests.e2e.conftest import Run
from tests.unit.review.conftest import face, mark, result, session_in

_ROOT = Path(__file__).parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: Path, language: str) -> list[str]:
    return [text for name, text in _BLOCK.findall(page.read_text("utf-8")) if name == language]


def _anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def _commands() -> Iterator[str]:
    for page in _PAGES:
        for line in "".join(_blocks(page, "")).splitlines():
            # A synopsis is for people.
            if line.startswith("fer-live") and "[" not in line:
                yield line.partition("  #")[0]


@pytest.mark.parametrize("command", [*_commands()])
def test_command_is_understood(
    command: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [*shlex.split(command), "--not-an-option"])
    with pytest.raises(SystemExit):
        main()
    assert "unrecognized arguments: --not-an-option\n" in capfd.readouterr().err


def test_settings_exist() -> None:
    known = {key for key, *_ in describe_settings()}
    sections = "|".join(key for key, value in Config() if not isinstance(value, str | bool))
    for page in _PAGES:
        named = set(re.findall(rf"(?:`|--set )((?:{sections})\.(?!py\b)\w+)", page.read_text("utf-8")))
        assert named <= known, page


def test_python_of_the_docs_runs(fer_live: Run, environment: dict[str, str], tmp_path: Path, media: Path) -> None:
    """Sessions and files are made with the names that the pages use."""
    shutil.copy(media / "single_face.mp4", tmp_path / "clip.mp4")
    (tmp_path / "photos").mkdir()
    shutil.copy(media / "multi_face.jpg", tmp_path / "photos")
    run = fer_live(["analyze", "demo", tmp_path / "photos", "--out", tmp_path / "sessions"])
    assert run.returncode == 0, run.stderr
    recording = session_in(tmp_path, *(result(index, float(index), face()) for index in range(4)), name="recording")
    mark(recording, (2.0, "stimulus"))
    for page in ("README.md", "docs/csv.md", "docs/architecture.md"):
        for program in _blocks(_ROOT / page, "python"):
            run = subprocess.run(
                [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            assert run.returncode == 0, f"{page}: {run.stderr}"
