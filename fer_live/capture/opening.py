"""From what the user typed to a source of frames."""

from __future__ import annotations

from pathlib import Path

from fer_live.capture.demo import DemoSource
from fer_live.capture.pictures import PICTURE_SUFFIXES, PictureSource
from fer_live.capture.source import Source
from fer_live.capture.video import VideoSource
from fer_live.errors import SourceError

DEMO = "demo"


def open_source(name: str, sequence_hz: float | None = None) -> Source:
    """Opens 'demo', a picture, a folder of pictures or a video file.

    sequence_hz: rate that makes pictures a sequence in time; only for a folder.
    Raises SourceError naming the source, what was expected and how to fix it.
    """
    path = Path(name)
    is_folder = path.is_dir()
    if sequence_hz is not None and not is_folder:
        raise SourceError(f"'{name}' is not a folder of pictures.", "--sequence only applies to folders.")
    if name == DEMO:
        return DemoSource()
    if is_folder or path.suffix.lower() in PICTURE_SUFFIXES:
        return PictureSource(path, sequence_hz)
    return VideoSource(path)
