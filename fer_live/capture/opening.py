"""From what the user typed to a source of frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fer_live.capture.camera import CameraMode, OpenCvCamera
from fer_live.capture.demo import DemoSource
from fer_live.capture.listing import find_again, find_camera, list_cameras
from fer_live.capture.paced import PacedSource
from fer_live.capture.pictures import PICTURE_SUFFIXES, PictureSource
from fer_live.capture.source import Hashes, Source
from fer_live.capture.video import VideoSource
from fer_live.errors import SourceError
from fer_live.source_names import DEMO, is_url, names_camera, printable, public_address


def open_source(
    name: str,
    sequence_hz: float | None = None,
    hashes: Hashes | None = None,
    on_unreadable: Callable[[str], None] | None = None,
) -> Source:
    """Opens 'demo', a picture, a folder of pictures or a video file.

    sequence_hz: rate that makes pictures a sequence in time; only for a folder. hashes: where those of files may be
    known. on_unreadable: see PictureSource.
    Raises SourceError naming the source, what was expected and how to fix it.
    """
    try:
        return _open_path(name, sequence_hz, hashes, on_unreadable)
    except OSError as error:  # a folder that one may not look into, or a name that no disk takes
        raise SourceError(f"'{name}' cannot be read ({error.strerror}).", "Check path and permissions.") from error


def _open_path(
    name: str,
    sequence_hz: float | None,
    hashes: Hashes | None,
    on_unreadable: Callable[[str], None] | None,
) -> Source:
    if not name:
        raise SourceError("The name of a source is empty ('').", "The current folder is named as '.'.")
    if is_url(name):
        raise SourceError(f"'{public_address(name)}' is a stream, not a file.", "`fer-live record` takes streams.")
    path = Path(name)
    is_folder = path.is_dir()
    if sequence_hz is not None and not is_folder:
        raise SourceError(f"'{name}' is not a folder of pictures.", "--sequence only applies to folders.")
    if name == DEMO:
        return DemoSource()
    if is_folder or path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureSource(path, sequence_hz, hashes, on_unreadable)
    return VideoSource(path, hashes)


@dataclass(frozen=True)
class LiveSource:
    """What a live session captures from.

    name: for people and files; without passwords. open: opens it, on the capture thread. is_device: a camera or
    stream, which may be lost and come back; else a file or the demo.
    """

    name: str
    open: Callable[[], Source]
    is_device: bool


def live_source(text: str, asked: CameraMode) -> LiveSource:
    """A source for live use: 'demo', a camera's index or name, a stream's URL, or a video played at its own pace.

    asked: what cameras are asked for. Raises SourceError if no camera has that name.
    """
    if text == DEMO:
        return LiveSource(DEMO, lambda: PacedSource(DemoSource(), reopen=DemoSource), is_device=False)
    if is_url(text):
        address = public_address(text)
        return LiveSource(address, lambda: OpenCvCamera(text, address), is_device=True)
    if not names_camera(text):
        return LiveSource(printable(Path(text).stem), lambda: PacedSource(open_source(text)), is_device=False)
    camera = find_camera(text)
    has_twin = [each.name for each in list_cameras()].count(camera.name) > 1
    return LiveSource(
        camera.name, lambda: OpenCvCamera(find_again(camera, has_twin).index, camera.name, asked), is_device=True
    )
