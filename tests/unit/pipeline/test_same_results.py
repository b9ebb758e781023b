"""What overlapping must not change: real clips and photographs, the real face finder, the shipped networks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer_live.backends.backend import Backend
from fer_live.backends.registry import open_backend
from fer_live.capture.demo import DemoSource
from fer_live.capture.pictures import PictureSource
from fer_live.capture.source import Source
from fer_live.capture.video import VideoSource
from fer_live.config import Config
from fer_live.core.structs import Result
from fer_live.pipeline.analyser import FaceAnalyser, FaceFollower, classify, look_at
from fer_live.pipeline.files import Order, analyse_source, open_finder

_STILLS = ("multi_face.jpg", "single_face.jpg", "multi_face.jpg", "single_face.jpg")


def _album(media: Path, folder: Path) -> Source:
    folder.mkdir()
    for number, name in enumerate(_STILLS):
        shutil.copy(media / name, folder / f"{number}.jpg")
    return PictureSource(folder)


_SOURCES: dict[str, Callable[[Path, Path], Source]] = {
    "demo": lambda *_: DemoSource(),
    "clip": lambda media, _: VideoSource(media / "single_face.mp4"),
    "photographs": _album,
}


def _one_at_a_time(source: Source, backend: Backend) -> list[Result]:
    with open_finder(Config().finder, source.is_stills) as finder:
        if not source.is_stills:
            analyser = FaceAnalyser(finder, backend, Config())
            return [analyser.analyse(frame) for frame in iter(source.read, None)]
        follower = FaceFollower(Config(), backend.card.labels)
        looks = [look_at(frame, finder, backend.card.input) for frame in iter(source.read, None)]
        return [follower.follow(*classify([look], backend), alone=True) for look in looks]


@pytest.mark.usefixtures("shipped_weights")
@pytest.mark.parametrize(
    ("name", "model", "runs"),
    [("demo", "resnet18", (2,)), ("clip", "mobilevit_xxs", (2, 3)), ("photographs", "resnet18", (2, 3))],
)
def test_overlapped_or_one_at_a_time_the_results_are_the_same(
    name: str, model: str, runs: tuple[int, ...], media: Path, tmp_path: Path
) -> None:
    """runs: the cores of each."""
    with open_backend("auto", model) as backend:
        with _SOURCES[name](media, tmp_path / "one") as source:
            expected = _one_at_a_time(source, backend)
        written = set()
        for cores in runs:
            results: list[Result] = []
            folder = tmp_path / f"{cores} cores"
            with _SOURCES[name](media, tmp_path / f"{cores}") as source:
                analyse_source(source, folder, Order(Config(), cores=cores), backend, results.append)
            _assert_same(results, expected)
            written.add((folder / "frames.csv").read_bytes())
    assert len(written) == 1


def _assert_same(results: list[Result], expected: list[Result]) -> None:
    assert [each.frame_index for each in results] == [each.frame_index for each in expected]
    assert [len(each.tracks) for each in results] == [len(each.tracks) for each in expected]
    tracks, same_tracks = ([track for each in some for track in each.tracks] for some in (results, expected))
    assert len(tracks) >= len(results)
    for track, same in zip(tracks, same_tracks, strict=True):
        np.testing.assert_array_equal(track.box, same.box)
        assert (track.face_id, track.label_index, track.reason) == (same.face_id, same.label_index, same.reason)
        np.testing.assert_allclose(track.probabilities, same.probabilities, rtol=0, atol=1e-5)
        np.testing.assert_allclose(track.smoothed, same.smoothed, rtol=0, atol=1e-5)
