from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest

from fer_live.core.structs import Frame, Result, Track
from fer_live.errors import RecordError
from fer_live.record.cameravideo import CameraVideo
from fer_live.record.mp4 import Mp4File
from fer_live.record.session import Origin
from tests.waiting import wait_until

_ORIGIN = Origin(100, 50.0)
_BOX = (130, 90, 190, 150)


def _pattern(width: int = 320, height: int = 240) -> np.ndarray:
    """Black and white squares of 8 px."""
    rows, columns = np.indices((height, width)) // 8
    return np.repeat(255 * ((rows + columns) % 2).astype(np.uint8)[..., None], 3, axis=2)


def _track(face_id: int = 1) -> Track:
    probabilities = np.full(7, 1 / 7, np.float32)
    return Track(face_id, np.array(_BOX, np.float32), 0.9, probabilities, probabilities, 0, 1, 0.0)


def _pair(index: int, time_s: float, tracks: Sequence[Track] = (), image: np.ndarray | None = None):  # type: ignore[no-untyped-def]
    at = _ORIGIN.captured_at + time_s
    index += _ORIGIN.frame_index
    return Frame(_pattern() if image is None else image, index, at), Result(index, at, at, tuple(tracks))


def _write(video: CameraVideo, path: Path) -> None:
    stop = threading.Event()
    stop.set()
    video.run(path, stop)


def _decoded(path: Path) -> list[av.VideoFrame]:
    frames = []
    # The end of a torn file may be no picture.
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        for frame in container.decode(video=0):
            frames.append(frame)
    return frames


def _contrast(frame: av.VideoFrame) -> float:
    """Of the middle of the face."""
    return float(frame.to_ndarray(format="gray")[100:140, 140:180].std())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


def test_frames_have_their_session_times(path: Path) -> None:
    video, times = CameraVideo(_ORIGIN, is_blurred=False), [0.2, 0.25, 0.5, 2.0]
    for index, time_s in enumerate([-0.1, *times], start=-1):
        video.offer(*_pair(index, time_s))
    _write(video, path)
    assert [frame.time for frame in _decoded(path)] == pytest.approx([0.0, *times], abs=1e-3)
    assert video.facts() == {"file": "video.mp4", "has_blurred_faces": False, "frames": 4, "frames_dropped": 0}
    assert video.error is None


@pytest.mark.parametrize(
    ("size", "recorded"), [((320, 240), (320, 240)), ((1920, 1080), (640, 360)), ((641, 481), (640, 480))]
)
def test_it_is_at_most_640_px_wide(size: tuple[int, int], recorded: tuple[int, int], path: Path) -> None:
    video = CameraVideo(_ORIGIN, is_blurred=False)
    video.offer(*_pair(0, 0.0, image=_pattern(*size)))
    video.offer(*_pair(1, 0.1))
    _write(video, path)
    assert {(frame.width, frame.height) for frame in _decoded(path)} == {recorded}


def test_faces_are_blurred_only_on_request(path: Path) -> None:
    for is_blurred in (False, True):
        video = CameraVideo(_ORIGIN, is_blurred)
        video.offer(*_pair(0, 0.0, [_track()]))
        _write(video, path)
        *_, frame = _decoded(path)
        assert (_contrast(frame) < 10) == is_blurred
        assert frame.to_ndarray(format="gray")[:40].std() > 100


def test_a_face_that_is_missed_for_a_moment_stays_blurred(path: Path) -> None:
    video = CameraVideo(_ORIGIN, is_blurred=True)
    for index, (time_s, tracks) in enumerate([(0, [_track()]), (0.5, []), (1.0, []), (1.1, []), (1.2, [_track(2)])]):
        video.offer(*_pair(index, time_s, tracks))
    _write(video, path)
    assert [_contrast(frame) < 10 for frame in _decoded(path)[1:]] == [True, True, True, False, True]


def test_what_does_not_fit_is_dropped_and_counted(path: Path) -> None:
    video = CameraVideo(_ORIGIN, is_blurred=False)
    for index in range(40):
        video.offer(*_pair(index, index / 30))
    _write(video, path)
    facts = video.facts()
    assert facts["frames"] == len(_decoded(path)) - 1 == 16
    assert facts["frames_dropped"] == 24


def test_it_opens_while_it_is_being_written(path: Path, tmp_path: Path) -> None:
    video, stop = CameraVideo(_ORIGIN, is_blurred=False), threading.Event()
    thread = threading.Thread(target=video.run, args=(path, stop))
    thread.start()
    for index in range(95):
        wait_until(lambda index=index: video.facts()["frames"] >= index - 10)  # type: ignore[misc]
        video.offer(*_pair(index, index / 30))
    wait_until(lambda: video.facts()["frames"] == 95)
    copy = tmp_path / "as after a crash.mp4"
    copy.write_bytes(path.read_bytes())
    stop.set()
    thread.join()
    assert len(_decoded(copy)) >= 60
    assert len(_decoded(path)) == 96


@pytest.mark.parametrize("lost", [1, 100, 1000])
def test_a_torn_end_costs_the_last_fragment_only(lost: int, path: Path) -> None:
    video = CameraVideo(_ORIGIN, is_blurred=False)
    stop = threading.Event()
    thread = threading.Thread(target=video.run, args=(path, stop))
    thread.start()
    for index in range(95):
        wait_until(lambda index=index: video.facts()["frames"] >= index - 10)  # type: ignore[misc]
        video.offer(*_pair(index, index / 30))
    stop.set()
    thread.join()
    path.write_bytes(path.read_bytes()[:-lost])
    assert len(_decoded(path)) >= 60


def test_without_frames_there_is_no_file(path: Path) -> None:
    _write(CameraVideo(_ORIGIN, is_blurred=True), path)
    assert not path.exists()


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RecordError, match=r"Recording the picture needs .*\(av\)\. Install it with `pip install"):
        CameraVideo.check()


def test_a_disk_that_fails_is_told_and_later_frames_cost_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecordError(f"'{path}' cannot be written ({os.strerror(errno.ENOSPC)}).")

    monkeypatch.setattr(Mp4File, "write", fail)
    video = CameraVideo(_ORIGIN, is_blurred=False)
    video.offer(*_pair(0, 0.0))
    _write(video, path)
    assert "No space left" in str(video.error)
    for index in range(1, 100):
        video.offer(*_pair(index, index / 30))
    assert video.facts()["frames_dropped"] == 0


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    video = CameraVideo(_ORIGIN, is_blurred=False)
    video.offer(*_pair(0, 0.0))
    _write(video, tmp_path / "gone" / "video.mp4")
    assert "video.mp4' cannot be written" in str(video.error)
