"""What every source of frames keeps to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fer_live.capture.demo import DemoSource
from fer_live.capture.pictures import PictureSource
from fer_live.capture.source import Source
from fer_live.capture.video import VideoSource
from tests.fakes import PictureCamera
from tests.media import quarters, write_clip, write_picture

_SHADES = [np.full((48, 64, 3), shade, np.uint8) for shade in (20, 90, 160, 230)]


@dataclass(frozen=True)
class Opening:
    """How to open a source, again and again."""

    name: str
    open: Callable[[], Source]
    frames: int | None = None


def _made_clip(folder: Path, _: Path) -> Opening:
    path = write_clip(folder / "made.mp4", _SHADES)
    return Opening("made", lambda: VideoSource(path), 4)


def _clip(name: str) -> Callable[[Path, Path], Opening]:
    return lambda _, media: Opening(name.split(".")[0], lambda: VideoSource(media / name))


def _picture(folder: Path, _: Path) -> Opening:
    path = write_picture(folder / "one.png", quarters())
    return Opening("one", lambda: PictureSource(path), 1)


def _folder(rate_hz: float | None) -> Callable[[Path, Path], Opening]:
    def prepare(folder: Path, _: Path) -> Opening:
        for number, shade in enumerate(_SHADES):
            write_picture(folder / f"{number}.png", shade)
        return Opening(folder.name, lambda: PictureSource(folder, rate_hz), 4)

    return prepare


PREPARATIONS: dict[str, Callable[[Path, Path], Opening]] = {
    "made clip": _made_clip,
    "clip of a face": _clip("single_face.mp4"),
    "clip without a face": _clip("no_face.mp4"),
    "clip from a phone": _clip("face_noface.mov"),
    "picture": _picture,
    "folder of stills": _folder(None),
    "folder as sequence": _folder(12.5),
    "demo": lambda *_: Opening("demo", DemoSource, 240),
    "fake": lambda *_: Opening("pictures", lambda: PictureCamera(_SHADES), 4),
}


@pytest.fixture(params=PREPARATIONS, scope="module")
def opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opening:
    needs_media = request.param.startswith("clip")
    media = request.getfixturevalue("media") if needs_media else Path()
    return PREPARATIONS[request.param](tmp_path_factory.mktemp("source"), media)


@pytest.fixture
def source(opening: Opening) -> Iterator[Source]:
    with opening.open() as source:
        yield source


def test_frames_are_numbered_timed_and_read_only(source: Source, opening: Opening) -> None:
    indices, times = [], []
    while (frame := source.read()) is not None:
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.shape[2] == 3
        with pytest.raises(ValueError, match="read-only"):
            frame.image[0, 0, 0] = 1
        indices.append(frame.index)
        times.append(frame.captured_at)
    assert indices == list(range(len(indices)))
    assert times[0] == 0
    assert all(earlier < later for earlier, later in pairwise(times))
    if opening.frames is not None:
        assert len(indices) == opening.frames == source.size
    elif source.size is not None:
        # The header of a real clip may count frames that cannot be decoded.
        assert 0.9 * source.size <= len(indices) <= source.size


def test_an_earlier_frame_keeps_its_pixels(source: Source) -> None:
    first = source.read()
    assert first is not None
    pixels = first.image.copy()
    while source.read() is not None:
        pass
    np.testing.assert_array_equal(first.image, pixels)


def test_end_is_final(source: Source) -> None:
    while source.read() is not None:
        pass
    assert [source.read() for _ in range(3)] == [None] * 3


def test_closing_twice_does_nothing(source: Source) -> None:
    assert source.read() is not None
    source.close()
    source.close()


def test_same_source_has_same_name_and_identity(source: Source, opening: Opening) -> None:
    with opening.open() as again:
        assert again.identity == source.identity
        assert again.name == source.name == opening.name
    assert len(source.identity) == 64
    assert set(source.identity) <= set("0123456789abcdef")


def test_same_source_gives_same_pixels(source: Source, opening: Opening) -> None:
    with opening.open() as again:
        one, other = source.read(), again.read()
    assert one is not None and other is not None
    np.testing.assert_array_equal(one.image, other.image)


def test_files_are_named_for_stills_only(source: Source) -> None:
    if not source.is_stills:
        assert set(source.files) <= {f"{number}.png" for number in range(4)}
    elif source.files:
        assert len(source.files) == source.size


def test_different_sources_have_different_identities(tmp_path: Path, media: Path) -> None:
    identities = []
    for number, prepare in enumerate(PREPARATIONS.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with prepare(folder, media).open() as source:
            identities.append(source.identity)
    assert len(set(identities)) == len(identities)
