from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_live.capture import listing, opening
from fer_live.capture.camera import CameraMode
from fer_live.capture.demo import DemoSource
from fer_live.capture.listing import CameraEntry
from fer_live.capture.opening import live_source, open_source
from fer_live.capture.paced import PacedSource
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


def test_name_that_no_disk_takes_is_named() -> None:
    with pytest.raises(SourceError, match="xxx' cannot be read"):
        open_source("x" * 5000)


@pytest.fixture
def closed_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that this user may not look into; root is nobody meanwhile."""
    folder = Path(tempfile.mkdtemp())
    closed = folder / "closed"
    closed.mkdir()
    write_picture(closed / "one.png", quarters())
    closed.chmod(0)
    folder.chmod(0o755)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    yield closed
    if is_root:
        os.seteuid(0)
    closed.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize("name", ["", "one.png", "clip.mp4"])
def test_folder_that_one_may_not_look_into_is_named(closed_folder: Path, name: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be read \(Permission denied\)"):
        open_source(str(closed_folder / name))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"M\xfcller")
    folder.mkdir()
    picture = write_picture(tmp_path / "one.png", quarters()).rename(folder / os.fsdecode(b"M\xfcller.png"))
    with open_source(str(folder)) as source:
        assert (source.name, source.files) == ("M\ufffdller", ("M\ufffdller.png",))
        assert len(source.identity) == 64
        assert source.read() is not None
    clip = write_clip(tmp_path / "clip.mp4", [quarters()]).rename(folder / os.fsdecode(b"M\xfcller.mp4"))
    with open_source(str(clip)) as source:
        assert source.name == "M\ufffdller"
    assert live_source(str(picture), CameraMode(640, 480, 30)).name == "M\ufffdller"


class _Camera:
    """Notes how a camera would have been opened."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments


class TestLive:
    asked = CameraMode(640, 480, 30)

    @pytest.fixture(autouse=True)
    def no_device(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(opening, "OpenCvCamera", _Camera)
        monkeypatch.setattr(opening, "find_camera", lambda text: CameraEntry(4, f"Camera {text}"))
        for module in (opening, listing):
            monkeypatch.setattr(module, "list_cameras", lambda: [])

    def test_demo_never_ends(self) -> None:
        source = live_source("demo", self.asked)
        assert (source.name, source.is_device) == ("demo", False)
        with source.open() as opened:
            assert isinstance(opened, PacedSource)
            assert opened.size is None

    def test_video_is_played_at_its_own_pace(self, tmp_path: Path) -> None:
        source = live_source(str(write_clip(tmp_path / "clip.mp4", [quarters()])), self.asked)
        assert (source.name, source.is_device) == ("clip", False)
        with source.open() as opened:
            assert isinstance(opened, PacedSource)
            assert opened.size == 1

    @pytest.mark.parametrize("name", ["clip.mp4", "."])
    def test_what_is_played_is_not_read_through_first(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(path: Path) -> str:
            raise AssertionError(f"{path} was hashed")

        write_clip(tmp_path / "clip.mp4", [quarters()])
        write_picture(tmp_path / "one.png", quarters())
        monkeypatch.setattr("fer_live.capture.source.sha256_of", fail)
        with live_source(str(tmp_path / name), self.asked).open() as opened:
            assert opened.read() is not None

    def test_stream_is_named_without_its_password(self) -> None:
        source = live_source("rtsp://user:secret@host/live", self.asked)
        assert (source.name, source.is_device) == ("rtsp://host/live", True)
        opened = source.open()
        assert isinstance(opened, _Camera)
        assert opened.arguments == ("rtsp://user:secret@host/live", "rtsp://host/live")

    @pytest.mark.parametrize(("twins", "index"), [([], 2), ([CameraEntry(6, "Camera c920")], 4)])
    def test_camera_that_comes_back_elsewhere(
        self, twins: list[CameraEntry], index: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cameras = [CameraEntry(4, "Camera c920"), *twins]
        for module in (opening, listing):
            monkeypatch.setattr(module, "list_cameras", lambda: cameras)
        source = live_source("c920", self.asked)
        cameras = [CameraEntry(2, "Camera c920")]
        opened = source.open()
        assert isinstance(opened, _Camera)
        assert opened.arguments == (index, "Camera c920", self.asked)

    def test_camera_is_found_and_asked(self) -> None:
        source = live_source("c920", self.asked)
        assert (source.name, source.is_device) == ("Camera c920", True)
        opened = source.open()
        assert isinstance(opened, _Camera)
        assert opened.arguments == (4, "Camera c920", self.asked)
