"""Faces that are followed against faces that are found in every frame, on real clips and real cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from fer_live.backends.registry import open_backend
from fer_live.capture.opening import open_source
from fer_live.config import Config, FinderConfig
from fer_live.core.geometry import iou
from fer_live.core.structs import Faces, Frame, Result
from fer_live.detect.following import PRESETS, FollowingFinder
from fer_live.detect.mediapipe import MediaPipeFinder
from fer_live.pipeline.analyser import FaceAnalyser
from fer_live.pipeline.files import open_finder


def frames(path: Path, start: int, stop: int) -> list[Frame]:
    with open_source(str(path)) as source:
        return list(islice(iter(source.read, None), start, stop))


def analysed(clip: Sequence[Frame], preset: str) -> list[Result]:
    config = Config(finder=FinderConfig.model_validate({"preset": preset}))
    with open_finder(config.finder) as finder, open_backend(config.backend, config.model) as backend:
        analyser = FaceAnalyser(finder, backend, config)
        return [analyser.analyse(frame) for frame in clip]


@pytest.mark.parametrize(
    ("name", "count"),
    [("single_face.mp4", 72), ("WolfgangLanger_Pexels.mp4", 472)],
    ids=["a grin", "a hand on the face"],
)
def test_boxes_and_labels_stay_as_they_would_be_found(
    shipped_weights: Path, media: Path, name: str, count: int
) -> None:
    """Near the limit of `uncertain` a hair decides: there is more room for it than for another label."""
    clip = frames(media / name, 0, count)
    found = analysed(clip, "quality")
    for preset, least_agreement, most_contradictions in (("balanced", 0.96, 0.005), ("fast", 0.94, 0.03)):
        followed = analysed(clip, preset)
        overlaps, is_agreed, is_another = [], [], []
        for one, other in zip(followed, found, strict=True):
            (track,), (same,) = one.tracks, other.tracks
            overlaps.append(iou(track.box.tolist(), same.box.tolist()))
            is_agreed.append(track.label_index == same.label_index)
            is_another.append(not is_agreed[-1] and None not in (track.label_index, same.label_index))
        assert np.mean(overlaps) > 0.9, preset
        assert np.mean(is_agreed) >= least_agreement, preset
        assert np.mean(is_another) <= most_contradictions, preset


class CountingFinder(MediaPipeFinder):
    """Writes down in which frames it looked."""

    def __init__(self) -> None:
        super().__init__()
        self.looked: list[int] = []

    def find(self, frame: Frame) -> Faces:
        self.looked.append(frame.index)
        return super().find(frame)


@pytest.mark.parametrize(
    ("before", "after", "faces"),
    [
        ("single_face.mp4", "WolfgangLanger_Pexels.mp4", (1, 1)),
        ("WolfgangLanger_Pexels.mp4", "single_face.mp4", (1, 1)),
        ("single_face.mp4", "no_face.mp4", (1, 0)),
        ("no_face.mp4", "single_face.mp4", (0, 1)),
    ],
    ids=["him to her", "her to him", "him to a title", "a title to him"],
)
def test_a_cut_is_looked_at_in_its_own_frame(media: Path, before: str, after: str, faces: tuple[int, int]) -> None:
    images = [frame.image for name in (before, after) for frame in frames(media / name, 30, 34)]
    size = (slice(360), slice(640))
    finder = CountingFinder()
    with FollowingFinder(finder, detect_every=100) as following:
        counts = [len(following.find(Frame(image[size], index, 0.0))) for index, image in enumerate(images)]
    assert finder.looked == [0, 4]
    assert counts == [faces[0]] * 4 + [faces[1]] * 4


@pytest.mark.parametrize("preset", PRESETS)
def test_from_a_full_look_that_is_due_nothing_depends_on_the_frames_before(media: Path, preset: str) -> None:
    """So two finders share one video by turns, and it makes no difference to a single bit."""
    parts = [("WolfgangLanger_Pexels.mp4", 27), ("no_face.mp4", 6), ("single_face.mp4", 27)]
    images = [frame.image[:360, :640] for name, count in parts for frame in frames(media / name, 60 - count, 60)]
    clip = [Frame(image, index, index / 30) for index, image in enumerate(images)]
    config, stretch = FinderConfig.model_validate({"preset": preset}), PRESETS[preset].full_look_every
    with open_finder(config) as finder:
        whole = [finder.find(frame) for frame in clip]
    with open_finder(config) as first, open_finder(config) as second:
        turns = [first.find(frame) if frame.index // stretch % 2 else second.find(frame) for frame in clip]
    assert {len(faces) for faces in whole} == {0, 1}
    for one, other in zip(whole, turns, strict=True):
        for field in fields(Faces):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
