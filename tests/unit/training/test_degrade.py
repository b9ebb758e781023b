from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from training.dataset import load_fer2013
from training.degrade import DEGRADATIONS, blur, compress, darken, degraded, main, measure_degraded, shrink
from training.evaluate import evaluate

MakeFaces = Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int64]]]


@pytest.fixture
def face(faces: MakeFaces) -> NDArray[np.uint8]:
    return faces(1, 0)[0][3]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def test_small_faces_keep_their_grey_and_lose_detail(
    face: NDArray[np.uint8], random: np.random.Generator
) -> None:
    small = shrink(face, random, 24)
    assert small.shape == (24, 24)
    np.testing.assert_allclose(small, face.reshape(24, 2, 24, 2).mean(axis=(1, 3)), atol=1)


def test_blur_spreads_a_point_by_its_sigma(random: np.random.Generator) -> None:
    point = np.zeros((48, 48), np.uint8)
    point[24, 24] = 255
    spread = blur(point, random, 2.0).astype(float)
    offsets = np.arange(48) - 24
    variance = (spread.sum(axis=0) * offsets**2).sum() / spread.sum()
    # Small values are rounded away, so the spread is a little narrower than 2 px.
    assert 1.5 < np.sqrt(variance) < 2.1


@pytest.mark.parametrize(
    ("gamma", "scale", "expected"), [(1.0, 1.0, 128), (1.0, 0.1, 13), (2.0, 1.0, 64), (2.0, 0.5, 32)]
)
def test_dark_by_hand(random: np.random.Generator, gamma: float, scale: float, expected: int) -> None:
    grey = np.full((48, 48), 128, np.uint8)
    assert set(darken(grey, random, gamma, scale, 0.0).ravel().tolist()) == {expected}


def test_noise_has_its_strength_and_stays_grey(random: np.random.Generator) -> None:
    grey = np.full((48, 48), 128, np.uint8)
    assert darken(grey, random, 1.0, 1.0, 3.0).std() == pytest.approx(3.0, rel=0.1)
    black = darken(np.zeros((48, 48), np.uint8), random, 1.0, 1.0, 3.0)
    assert black.min() == 0 and black.max() < 20


def test_jpeg_of_lower_quality_differs_more(face: NDArray[np.uint8], random: np.random.Generator) -> None:
    differences = [
        np.abs(compress(face, random, quality).astype(int) - face).mean() for quality in (10, 30, 95)
    ]
    assert differences == sorted(differences, reverse=True)
    assert compress(face, random, 10).shape == face.shape


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_every_degradation_ends_in_crops(faces: MakeFaces, name: str) -> None:
    images = faces(1, 0)[0]
    before = images.copy()
    spoiled = degraded(images, DEGRADATIONS[name])
    assert spoiled.shape == images.shape and spoiled.dtype == np.uint8
    assert np.array_equal(images, before)
    # Untouched faces come through live preprocessing as they are, so they compare with `evaluate`.
    assert np.array_equal(spoiled, images) == (name == "none")


def test_noise_comes_from_the_seed(faces: MakeFaces) -> None:
    images, name = faces(1, 0)[0], "dark, 10 % of the light, noise 3"
    assert np.array_equal(degraded(images, DEGRADATIONS[name], 1), degraded(images, DEGRADATIONS[name], 1))
    assert not np.array_equal(degraded(images, DEGRADATIONS[name], 1), degraded(images, DEGRADATIONS[name], 2))


def test_untouched_faces_are_what_evaluate_measures(trained: Any) -> None:
    weights, data = trained.out / "mobilevit_xxs.onnx", load_fer2013(trained.data)
    record = measure_degraded(weights, data)
    expected = evaluate(weights, data, "PublicTest")
    for key in ("model", "usage", "data_digest", "n"):
        assert record[key] == expected[key]
    first = record["degradations"][0]
    assert first == {
        "name": "none",
        "accuracy": expected["accuracy"],
        "accuracy_ci95": expected["accuracy_ci95"],
        "drop": 0.0,
    }
    assert [row["name"] for row in record["degradations"]] == list(DEGRADATIONS)


def test_json_and_table_of_the_first_rows(trained: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--weights", str(trained.out / "mobilevit_xxs.safetensors"), "--data", str(trained.data), "--rows", "7"]
    assert main([*asked, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["n"] == 7 and len(record["degradations"]) == len(DEGRADATIONS)
    assert main(asked) == 0
    table = capsys.readouterr().out
    assert table.startswith("mobilevit_xxs on PublicTest, 7 faces\n") and "| JPEG quality 10 | 7 |" in table


@pytest.mark.parametrize("option", [["--rows", "0"], ["--seed", "-1"]])
def test_bad_option_ends_with_one_sentence(
    trained: Any, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    weights = str(trained.out / "mobilevit_xxs.onnx")
    assert main(["--weights", weights, "--data", str(trained.data), *option]) == 2
    assert f"error: {option[0]} is {option[1]}." in capsys.readouterr().err
