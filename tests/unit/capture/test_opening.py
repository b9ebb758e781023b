from __future__ import annotations

from pathlib import Path

import pytest

from fer_live.capture.demo import DemoSource
from fer_live.capture.opening import open_source
from fer_live.capture.pictures import PictureSource
from fer_live.capture.video import VideoSource
from fer_live.errors import SourceError
from tests.media import quarters, write_clip, write_picture


def test_kinds_of_sources(tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "one.PNG".lower(), quarters())
    clip = write_clip(tmp_path / "clip.mp4", [quarters()])
    assert isinstance(open_source("demo"), DemoSource)
    assert isinstance(open_source(str(picture)), PictureSource)
    assert isinstance(open_source(str(tmp_path)), PictureSource)
    with open_source(str(clip)) as source:
        assert isinstance(source, VideoSource)


def test_a_folder_called_demo_is_read_by_its_path(tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", quarters())
    with open_source(str(tmp_path), 10.0) as source:
        assert not source.is_stills


@pytest.mark.parametrize("name", ["demo", "clip.mp4", "one.png"])
def test_sequence_is_for_folders(name: str) -> None:
    with pytest.raises(SourceError, match="--sequence only applies to folders"):
        open_source(name, 25.0)


@pytest.mark.parametrize("name", ["absent.mp4", "absent.png", "absent", ""])
def test_what_does_not_exist_is_named(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        open_source(name)
