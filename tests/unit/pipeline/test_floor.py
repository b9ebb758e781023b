from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.capture.wall import WallSource
from fer_live.config import Config
from fer_live.core.structs import Frame
from fer_live.detect.blazeface import BlazeFaceDetector
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.files import open_finder
from fer_live.pipeline.floor import Floor, Work
from tests.fakes import TableBackend


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """What MediaPipe itself is shown, by whomever."""
    pictures: list[NDArray[np.uint8]] = []
    detect_bare = BlazeFaceDetector.detect_bare

    def watching(self: BlazeFaceDetector, part: NDArray[np.uint8]) -> list[Any]:
        pictures.append(part.copy())
        return detect_bare(self, part)

    monkeypatch.setattr(BlazeFaceDetector, "detect_bare", watching)
    return pictures


def _dim(frame: Frame) -> Frame:
    """So flat that its faces are not sure."""
    image = cv2.GaussianBlur(frame.image, (0, 0), 12)
    return Frame(np.asarray(image, np.uint8), frame.index, frame.captured_at)


@pytest.mark.parametrize("is_sure", [True, False])
def test_the_floor_does_what_the_chain_did(shown: list[NDArray[np.uint8]], is_sure: bool) -> None:
    floor, table, config = Floor(), TableBackend(max_batch=4), Config()
    frames, second_looks = list(iter(WallSource(6, 4).read, None)), 0
    with (
        open_finder(config.finder, open_detector=floor.open_detector) as finder,
        floor.watched(table) as backend,
    ):
        analyser = FaceAnalyser(finder, backend, config)
        for frame in frames:
            frame = frame if is_sure else _dim(frame)
            shown.clear()
            table.batch_sizes.clear()
            analyser.analyse(frame)
            by_chain, batches = list(shown), list(table.batch_sizes)
            second_looks += sum(len(picture) < len(frame.image) for picture in shown)
            shown.clear()
            floor.take().repeat(frame)
            assert [picture.shape for picture in shown] == [picture.shape for picture in by_chain]
            assert all(np.array_equal(one, other) for one, other in zip(shown, by_chain, strict=True))
            assert table.batch_sizes == batches + batches
            assert floor.take() == Work([], [])
    assert table.is_closed
    assert (second_looks == 0) == is_sure


def test_what_is_watched_gives_what_it_gave() -> None:
    frame = WallSource(2, 1).read()
    assert frame is not None
    floor, config = Floor(), Config()
    with (
        open_finder(config.finder) as plain,
        open_finder(config.finder, open_detector=floor.open_detector) as watched,
    ):
        one = FaceAnalyser(plain, TableBackend(), config).analyse(frame)
        other = FaceAnalyser(watched, floor.watched(TableBackend()), config).analyse(frame)
    assert len(one.tracks) == 2
    for track, same in zip(one.tracks, other.tracks, strict=True):
        np.testing.assert_array_equal(track.box, same.box)
        np.testing.assert_array_equal(track.probabilities, same.probabilities)
