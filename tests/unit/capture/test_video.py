from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from fer_live.capture.video import VideoSource
from fer_live.errors import SourceError
from tests.media import quarters, write_clip

_RED, _GREEN, _BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)


def _first(path: Path) -> np.ndarray:
    with VideoSource(path) as source:
        frame = source.read()
    assert frame is not None
    return frame.image


def _corners(image: np.ndarray) -> dict[str, tuple[int, ...]]:
    height, width = image.shape[:2]
    spots = {"top left": (0, 0), "top right": (0, 1), "bottom left": (1, 0)}
    return {
        name: tuple((image[height // 4 + row * height // 2, width // 4 + column * width // 2] > 127) * 255)
        for name, (row, column) in spots.items()
    }


def test_colours_are_bgr(tmp_path: Path) -> None:
    image = _first(write_clip(tmp_path / "clip.mp4", [quarters()]))
    assert image.shape == (48, 64, 3)
    assert _corners(image) == {"top left": _RED, "top right": _GREEN, "bottom left": _BLUE}


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_phone_rotation_is_honoured(tmp_path: Path, rotation: int) -> None:
    image = _first(write_clip(tmp_path / "phone.mp4", [quarters()], rotation=rotation))
    upright = np.rot90(quarters(), rotation // 90)
    assert image.shape == upright.shape
    assert _corners(image) == _corners(upright)


def test_time_is_media_time_not_a_guess_from_the_rate(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "slow.mp4", [quarters()] * 5, rate_hz=8)
    with VideoSource(path) as source:
        times = [frame.captured_at for frame in iter(source.read, None)]
    np.testing.assert_allclose(times, [0, 0.125, 0.25, 0.375, 0.5], atol=1e-6)


@pytest.mark.parametrize("name", ["жест.mp4", "a clip 😀.mp4", "12:30 talk.mp4", "clip%04d.mp4", "-.mp4"])
def test_any_name_opens_also_from_its_folder(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "Фото ö"
    folder.mkdir()
    write_clip(tmp_path / "clip.mp4", [quarters()]).rename(folder / name)
    monkeypatch.chdir(folder)
    assert _first(folder / name).shape == _first(Path(name)).shape == (48, 64, 3)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is no file '.*absent\.mp4'"):
        VideoSource(tmp_path / "absent.mp4")


def test_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(SourceError, match=r"empty\.mp4' is empty \(0 bytes\)"):
        VideoSource(path)


def _garbage(_: Path) -> bytes:
    return np.random.default_rng(5).bytes(5000)


def _text(_: Path) -> bytes:
    return b"These are notes, not a video.\n" * 50


def _torn(whole: Path) -> bytes:
    return whole.read_bytes()[:1000]


def _frameless(whole: Path) -> bytes:
    """The index of a video whose frames are gone."""
    content = whole.read_bytes()
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    return content[:start] + bytes(end - start) + content[end:]


@pytest.mark.parametrize("content", [_garbage, _text, _torn, _frameless])
def test_what_is_no_video_is_refused_in_silence(
    tmp_path: Path, content: object, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write_clip(tmp_path / "whole.mp4", [quarters()] * 3)
    capfd.readouterr()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content(whole))  # type: ignore[operator]
    with pytest.raises(SourceError, match=r"broken\.mp4' cannot be read as a video"):
        VideoSource(broken)
    assert capfd.readouterr() == ("", "")


def test_stream_without_times_is_timed_by_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "raw.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        for image in [quarters()] * 6:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    with VideoSource(path) as source:
        assert source.size is None
        times = [frame.captured_at for frame in iter(source.read, None)]
    np.testing.assert_allclose(times, np.arange(6) / 25, atol=1e-6)


def test_video_cut_short_gives_what_is_left(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    whole = write_clip(tmp_path / "whole.avi", list(noise))
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with VideoSource(cut) as source:
        frames = list(iter(source.read, None))
    assert 0 < len(frames) < 40


def test_damaged_part_is_passed_over_and_what_comes_after_keeps_its_time(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.mp4", tmp_path / "damaged.mp4"
    noise = np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    with av.open(str(whole), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.gop_size = 64, 48, 10
        for turn in range(200):
            picture = av.VideoFrame.from_ndarray(np.roll(noise, 3 * turn, axis=1), format="bgr24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    content = whole.read_bytes()
    middle, hole = len(content) // 2, len(content) // 6
    damaged.write_bytes(content[:middle] + bytes(hole) + content[middle + hole :])
    with VideoSource(damaged) as source:
        assert source.size == 200
        found = [(frame.index, frame.captured_at) for frame in iter(source.read, None)]
    indices, times = np.array(found).T
    (before,) = np.flatnonzero(np.diff(indices) > 1)
    assert 60 < before < before + 30 < len(found) < 190
    np.testing.assert_allclose(times[: before - 4], np.arange(before - 4) / 25, atol=1e-6)
    assert times[before + 1] - times[before] > 0.5
    assert times[-1] == pytest.approx(199 / 25, abs=1e-6)
    assert (np.diff(times) >= 0).all()


def test_damaged_number_of_frames_is_not_waited_for(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [quarters()] * 3)
    with VideoSource(path) as source:
        source.size = 10**12
        assert len(list(iter(source.read, None))) == 3


def test_closing_frees_the_file(tmp_path: Path) -> None:
    source = VideoSource(write_clip(tmp_path / "clip.mp4", [quarters()] * 3))
    assert source.read() is not None
    source.close()
    assert source.read() is None


def test_real_clip_is_read_to_its_end(media: Path) -> None:
    with VideoSource(media / "single_face.mp4") as source:
        frames = list(iter(source.read, None))
    assert len(frames) == source.size == 72
    assert frames[0].image.shape == (360, 640, 3)
    assert frames[-1].captured_at == pytest.approx(71 / 30, abs=1e-4)
    assert cv2.PSNR(frames[0].image, frames[-1].image) < 40  # they are not one and the same
