from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.core.structs import Frame, Track
from fer_live.errors import RecordError
from fer_live.record.video import OVERLAY_MP4, OverlayVideo, paint_overlay

_GREY = np.full((240, 320, 3), 90, np.uint8)
_ORANGE = np.array([0, 0x9F, 0xE6])  # 'happy', BGR


def _track() -> Track:
    probabilities = np.eye(7, dtype=np.float32)[3]
    box = np.array([100, 80, 180, 160], np.float32)
    return Track(1, box, 0.9, probabilities, probabilities, 3, 1, 0.0)


def _write(folder: Path, frames: list[Frame]) -> list[av.VideoFrame]:
    with OverlayVideo(folder, FER2013_LABELS) as video:
        for frame in frames:
            video.write(frame, [_track()])
    with av.open(str(folder / OVERLAY_MP4)) as container:
        return list(container.decode(video=0))


def test_overlay_is_painted_on_a_copy() -> None:
    painted = paint_overlay(_GREY, [_track()], FER2013_LABELS)
    assert (_GREY == 90).all()
    assert painted.shape == _GREY.shape
    np.testing.assert_array_equal(painted[120, 100], _ORANGE)  # the box
    np.testing.assert_array_equal(painted[120, 140], [90, 90, 90])  # inside it
    assert (painted[60:79, 104:140] == _ORANGE).all(axis=2).any()  # the caption above it
    assert (painted[60:79, 104:140] == 0).all(axis=2).any()  # its text


def test_without_faces_the_picture_is_as_it_was() -> None:
    np.testing.assert_array_equal(paint_overlay(_GREY, [], FER2013_LABELS), _GREY)


def test_video_has_the_frames_at_their_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 1.0]
    decoded = _write(tmp_path, [Frame(_GREY, index, 5.0 + time) for index, time in enumerate(times)])
    assert [frame.time for frame in decoded] == pytest.approx(times, abs=1e-3)
    assert (decoded[0].width, decoded[0].height) == (320, 240)
    box = decoded[0].to_ndarray(format="bgr24")[90:150, 99:102].astype(int)
    assert np.abs(box - _ORANGE).sum(axis=2).min() < 60


def test_odd_and_changing_sizes_are_scaled(tmp_path: Path) -> None:
    sizes = [(241, 321), (120, 160), (480, 640)]
    frames = [Frame(np.zeros((*size, 3), np.uint8), index, index / 10) for index, size in enumerate(sizes)]
    assert {(frame.width, frame.height) for frame in _write(tmp_path, frames)} == {(320, 240)}


def test_the_smallest_pictures_have_a_video_too(tmp_path: Path) -> None:
    frames = [Frame(np.zeros((1, 1, 3), np.uint8), index, index / 10) for index in range(3)]
    assert len(_write(tmp_path, frames)) == 3


def test_missing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_live.record.mp4._ENCODER", "absent264")
    with pytest.raises(RecordError, match=r"overlay\.mp4' cannot be written: PyAV has no absent264 here"):
        _write(tmp_path, [Frame(_GREY, 0, 0.0)])


def test_without_frames_there_is_no_file(tmp_path: Path) -> None:
    with OverlayVideo(tmp_path, FER2013_LABELS) as video:
        video.close()
    assert not (tmp_path / OVERLAY_MP4).exists()


@pytest.mark.parametrize("package", ["av", "PIL"])
def test_missing_package_is_named(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(RecordError, match=rf"not installed \({package}\)\. Install it with `pip install"):
        OverlayVideo(tmp_path, FER2013_LABELS)


def test_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(RecordError, match=r"overlay\.mp4' cannot be written"),
        OverlayVideo(tmp_path / "gone", FER2013_LABELS) as video,
    ):
        video.write(Frame(_GREY, 0, 0.0), [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / OVERLAY_MP4).symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    with (
        pytest.raises(RecordError, match=r"overlay\.mp4' cannot be written"),
        OverlayVideo(tmp_path, FER2013_LABELS) as video,
    ):
        for index in range(20):
            video.write(Frame(noise, index, index / 30), [])
