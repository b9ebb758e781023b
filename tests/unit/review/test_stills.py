"""Single pictures of a session's video."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fer_live.core.structs import Frame, Result
from fer_live.errors import RecordError
from fer_live.record.cameravideo import CameraVideo
from fer_live.record.session import Origin
from fer_live.review.stills import Stills

_RATE_HZ, _COUNT = 10, 90
_DARKEST, _STEP = 20, 24


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine seconds as the recorder writes them; each picture tells its number, a digit a half."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    recorder, stop = CameraVideo(Origin(), is_blurred=False), threading.Event()
    thread = threading.Thread(target=recorder.run, args=(path, stop))
    thread.start()
    for index in range(_COUNT):
        image = np.repeat(_DARKEST + _STEP * np.array(divmod(index, 10), np.uint8), 48)[None, :, None]
        image = np.broadcast_to(image, (64, 96, 3)).copy()
        before = recorder.facts()
        recorder.offer(Frame(image, index, index / _RATE_HZ), Result(index, index / _RATE_HZ, 0.0, ()))
        while recorder.facts() == before:
            assert recorder.error is None
            stop.wait(0.001)
    stop.set()
    thread.join()
    return path


def _number(image: np.ndarray | None) -> int:
    assert image is not None
    assert (image.shape, image.dtype) == ((64, 96, 3), np.uint8)
    halves = image[:, 8:40].mean(), image[:, 56:88].mean()
    tens, ones = (round((half - _DARKEST) / _STEP) for half in halves)
    return 10 * tens + ones


def test_picture_of_a_time_in_any_order(video: Path) -> None:
    with Stills(video) as stills:
        for time_s in (0.0, 5.0, 5.1, 5.15, 8.9, 0.35, 7.0, 6.95, 9.5):
            assert _number(stills.read(time_s)) == min(int(time_s * _RATE_HZ + 1e-6), _COUNT - 1), time_s
        assert stills.read(100.0) is None


def test_playing_reads_every_picture(video: Path) -> None:
    with Stills(video) as stills:
        numbers = [_number(stills.read(index / _RATE_HZ + 0.01)) for index in range(_COUNT)]
    assert numbers == list(range(_COUNT))


def test_torn_video_shows_what_is_there(video: Path, tmp_path: Path) -> None:
    torn = tmp_path / "video.mp4"
    content = video.read_bytes()
    torn.write_bytes(content[: len(content) // 2])
    with Stills(torn) as stills:
        assert _number(stills.read(1.0)) == 10
        assert stills.read(8.5) is None
        assert _number(stills.read(2.0)) == 20


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_text("no video")
    with pytest.raises(RecordError, match="cannot be read as a video"):
        Stills(path)


def test_missing_package_is_said(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RecordError, match="av is not installed"):
        Stills(video)


def test_video_that_was_cut_off_anywhere_is_shown_as_far_as_it_goes(video: Path, tmp_path: Path) -> None:
    whole, path = video.read_bytes(), tmp_path / "video.mp4"
    # From the end of its header on, until after its first pictures.
    header, read = whole.index(b"moof") - 4, 0
    for end in range(header, header + 800, 40):
        path.write_bytes(whole[:end])
        try:
            stills = Stills(path)
        except RecordError:
            continue
        with stills:
            for time_s in (0.0, 5.0, 0.5):
                image = stills.read(time_s)
                assert image is None or _number(image) <= time_s * _RATE_HZ
        read += 1
    assert read > 10
