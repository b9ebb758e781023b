from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.core.preprocess import crop_faces
from fer_live.core.structs import Faces, Frame
from training.chain import HEIGHT, WIDTH, run_chain, scenes
from training.dataset import Split
from training.layouts import SPEC


@pytest.fixture
def rows() -> Split:
    """Twelve smooth patterns, of which the bright half is labelled 1."""
    random = np.random.default_rng(3)
    small = random.integers(60, 200, (12, 6, 6), dtype=np.uint8)
    images = np.stack([cv2.resize(image, (48, 48), interpolation=cv2.INTER_CUBIC) for image in small])
    images[6:] = images[6:] // 2 + 128
    images[:6] = images[:6] // 2
    return Split("PublicTest", images, np.repeat([0, 1], 6).astype(np.int64))


class Oracle:
    """A finder that knows the scenes: it finds the true square, moved and scaled, or nothing in skipped frames."""

    def __init__(self, rows: Split, tilt_deg: float, scale: float = 1.0, skipped: tuple[int, ...] = ()) -> None:
        self._regions = [scene.region for scene in scenes(rows.images, tilt_deg, 0)]
        self._scale, self._skipped = scale, skipped

    def find(self, frame: Frame) -> Faces:
        if frame.index in self._skipped:
            return Faces.none()
        region = self._regions[frame.index] * np.array([1, 1, self._scale, 1], np.float32)
        return Faces(
            np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 6, 2), np.float32), region[None]
        )

    def close(self) -> None: ...

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None: ...


def brightness(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (N, 2): the second label for bright crops."""
    bright = (batch.mean(axis=(1, 2, 3)) > 127).astype(np.float32)
    return np.stack([1 - bright, bright], axis=1)


def test_scenes_repeat_and_differ_by_seed(rows: Split) -> None:
    first, second, other = (list(scenes(rows.images, 20, seed)) for seed in (0, 0, 1))
    for one, same, another in zip(first, second, other, strict=True):
        assert one.frame.image.shape == (HEIGHT, WIDTH, 3)
        np.testing.assert_array_equal(one.frame.image, same.frame.image)
        assert not np.array_equal(one.region, another.region)


@pytest.mark.parametrize("tilt_deg", [0, 20])
def test_the_region_holds_the_face_wholly(rows: Split, tilt_deg: float) -> None:
    for face, scene in zip(rows.images, scenes(rows.images, tilt_deg, 0), strict=True):
        x, y, side, roll = scene.region
        assert 3 * 48 <= side <= 6 * 48
        assert abs(np.degrees(roll)) == pytest.approx(tilt_deg)
        assert side / 2 <= x <= WIDTH - side / 2 and side / 2 <= y <= HEIGHT - side / 2
        crop = crop_faces(scene.frame.image, scene.region[np.newaxis], SPEC)[0]
        middle = slice(4, -4)
        difference = np.abs(crop[middle, middle].astype(int) - face[middle, middle])
        assert difference.mean() < 3


def test_a_perfect_finder_loses_nothing(rows: Split) -> None:
    report = run_chain(rows, Oracle(rows, 0), brightness)
    assert (report["n"], report["found"], report["false_finds_per_frame"]) == (12, 1, 0)
    assert report["accuracy_bare"] == 1
    assert report["variants"]["framed"] == {"accuracy": 1, "drop": 0, "drop_se": 0}
    assert set(report["variants"]) == {"framed", "upright", "tighter", "wider"}


def test_missed_faces_are_counted_and_left_out_of_the_accuracy(rows: Split) -> None:
    report = run_chain(rows, Oracle(rows, 0, skipped=(0, 1, 2)), brightness)
    assert report["found"] == 0.75
    assert report["found_ci95"][0] < 0.75 < report["found_ci95"][1]
    assert report["accuracy_bare"] == 1


def test_a_find_that_is_much_too_large_is_a_false_one(rows: Split) -> None:
    report = run_chain(rows, Oracle(rows, 0, scale=2), brightness)
    assert (report["found"], report["false_finds_per_frame"]) == (0, 1)
    assert "variants" not in report


def test_the_drop_is_what_the_chain_alone_gets_wrong(rows: Split) -> None:
    calls = []

    def worse_on_the_chain(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        calls.append(len(batch))
        probabilities = brightness(batch)
        return probabilities if len(calls) == 1 else probabilities[:, ::-1]

    report = run_chain(rows, Oracle(rows, 0), worse_on_the_chain)
    assert report["variants"]["framed"]["accuracy"] == 0
    assert report["variants"]["framed"]["drop"] == 1


def test_loose_find_is_found_but_not_closely(rows: Split) -> None:
    loose = run_chain(rows, Oracle(rows, 0, scale=1.6), brightness)
    assert (loose["found"], loose["found_closely"]) == (1.0, 0.0)
    exact = run_chain(rows, Oracle(rows, 0), brightness)
    assert (exact["found"], exact["found_closely"]) == (1.0, 1.0)
