from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from matplotlib import cbook
from numpy.typing import NDArray

from fer_live.core.geometry import frame_boxes
from fer_live.core.modelcard import load_verified_card
from fer_live.core.structs import Faces
from fer_live.detect.blazeface import SHORT_RANGE
from training import framing
from training.config import recipe
from training.dataset import Split


@pytest.fixture(scope="module")
def face() -> NDArray[np.uint8]:
    """Grace Hopper (public domain, shipped with matplotlib), cropped as FER2013 does: uint8 (48, 48)."""
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        photo = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
    return np.asarray(cv2.resize(photo[90:330, 140:380], (48, 48), interpolation=cv2.INTER_AREA), np.uint8)


def faces_in_the_crop(boxes: list[tuple[float, float, float, float]]) -> Faces:
    xyxy = np.array(boxes, np.float32)
    count = len(boxes)
    roll = np.radians(np.linspace(-10, 10, count)).astype(np.float32)
    regions = frame_boxes(xyxy, roll, SHORT_RANGE.framing)
    return Faces(xyxy, np.ones(count, np.float32), np.zeros((count, 6, 2), np.float32), regions)


def test_a_sample_is_drawn_once_and_again_the_same(faces: Callable[..., tuple[NDArray[np.uint8], ...]]) -> None:
    rows = Split("Training", *faces(4, 0))
    first, again, other = framing.sample(rows, 9, 0), framing.sample(rows, 9, 0), framing.sample(rows, 9, 1)
    assert len(first) == len(set(first.pixel_hashes())) == 9
    assert first.pixel_hashes() == again.pixel_hashes() != other.pixel_hashes()
    assert len(framing.sample(rows, 1000, 0)) == len(rows)


def test_boxes_are_fractions_of_the_true_crop(face: NDArray[np.uint8]) -> None:
    found = framing.look_at(np.stack([face, np.full_like(face, 128)]), SHORT_RANGE)
    assert len(found) == 1, "the grey crop has no face"
    measures = framing.box_measures(found)
    assert 0.5 < measures["side"][0] < 1.2
    assert abs(measures["x"][0] - 0.5) < 0.2 and abs(measures["y"][0] - 0.5) < 0.25
    assert abs(measures["roll_deg"][0]) < 15


def test_no_find_at_all_is_no_face(face: NDArray[np.uint8]) -> None:
    assert len(framing.look_at(np.full((2, 48, 48), 128, np.uint8), SHORT_RANGE)) == 0


def test_the_median_framing_puts_the_median_box_onto_the_crop() -> None:
    found = faces_in_the_crop([(0.1, 0.2, 0.9, 1.0)] * 3)
    derived = framing.median_framing(framing.box_measures(found))
    region = frame_boxes(found.boxes, np.zeros(3, np.float32), derived)
    np.testing.assert_allclose(region, [[0.5, 0.5, 1, 0]] * 3, atol=1e-6)


def test_region_measures_are_differences_from_the_crop() -> None:
    found = faces_in_the_crop([(0, 0, 1, 1), (0.2, 0.2, 0.6, 0.6), (0, 0, 1, 1)])
    measures = framing.region_measures(found)
    np.testing.assert_allclose(measures["side"], SHORT_RANGE.framing.scale * np.array([1, 0.4, 1]), rtol=1e-5)
    np.testing.assert_allclose(measures["roll_deg"], [-10, 0, 10], atol=1e-5)
    assert measures["y"][1] == pytest.approx(-0.1 + 0.4 * SHORT_RANGE.framing.shift_y, abs=1e-6)


def test_spread_gives_percentiles() -> None:
    numbers = framing.spread({"side": np.arange(101, dtype=np.float32)})["side"]
    assert [numbers[f"p{q}"] for q in (5, 10, 50, 90, 95)] == [5, 10, 50, 90, 95]
    assert numbers["sd"] == pytest.approx(29.155, abs=1e-3)


def test_a_zoom_of_training_is_a_smaller_region() -> None:
    ranges = framing.augmentation_range(recipe("resnet18", scale_min=0.8, scale_max=1.25, shift=0.07))
    assert ranges["side"] == pytest.approx((0.8, 1.25))
    assert ranges["x"] == ranges["y"] == (-0.07, 0.07)
    assert ranges["roll_deg"] == (-21, 21)


@pytest.fixture
def data(face: NDArray[np.uint8], write_csv: Callable[..., str], tmp_path: Path) -> Path:
    rows = [(label, np.roll(face, label), usage) for usage in ("Training", "PublicTest") for label in range(7)]
    path = tmp_path / "fer2013.csv"
    path.write_text(write_csv(rows))
    return path


def test_the_study_as_a_command(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "framing.png"
    assert framing.main(["--data", str(data), "--rows", "3", "--json", "--plot", str(plot)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 3
    assert set(report["models"]) == {"short range", "full range"}
    short = report["models"]["short range"]
    assert short["found"] == 1
    assert short["framing"]["scale"] == SHORT_RANGE.framing.scale
    assert short["inside_augmentation"].keys() == {"mobilevit_xxs", "resnet18"}
    assert cv2.imread(str(plot)) is not None
    assert framing.main(["--data", str(data), "--rows", "3"]) == 0
    assert "short range: found 100.0%" in capsys.readouterr().out


def test_faces_that_no_model_finds_are_one_sentence(
    write_csv: Callable[..., str], rows: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.csv"
    path.write_text(write_csv(rows))
    assert framing.main(["--data", str(path), "--rows", "2"]) == 2
    assert "short range finds none of the 2 faces. Look at more with --rows." in capsys.readouterr().err


def test_the_chain_as_a_command(
    data: Path, trained: object, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = trained.out / "mobilevit_xxs.onnx"  # type: ignore[attr-defined]
    asked = ["--data", str(data), "--chain", "--weights", str(weights), "--rows", "4"]
    assert framing.main([*asked, "--json"]) == 0
    upright, tilted = json.loads(capsys.readouterr().out)
    assert (upright["tilt_deg"], tilted["tilt_deg"]) == (0, 20)
    assert upright["n"] == 4
    assert upright["found"] >= 0.75
    assert framing.main(asked) == 0
    assert "tilt 20 degrees, 4 faces: found" in capsys.readouterr().out


def test_the_card_gets_the_chain_and_nothing_else(
    data: Path, trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = Path(shutil.copytree(trained.out, tmp_path / "weights"), "mobilevit_xxs.onnx")
    before = load_verified_card(weights)
    asked = ["--data", str(data), "--chain", "--weights", str(weights), "--rows", "4", "--json", "--write-card"]
    assert framing.main(asked) == 0
    reports = json.loads(capsys.readouterr().out)
    expected = before.model_copy(update={"validation": before.validation | {"chain": reports}})
    assert load_verified_card(weights) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rows", "0"], "--rows is 0. Give a whole number from 1"),
        (["--seed", "-1"], "--seed is -1. Give a whole number from 0"),
        (["--chain"], "--chain and --weights FILE.onnx belong together"),
        (["--weights", "w.onnx"], "--chain and --weights FILE.onnx belong together"),
        (["--write-card"], "--write-card belongs to --chain on --usage PublicTest"),
        (["--plot", "/nowhere/at/all.png"], "'/nowhere/at/all.png' cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], message: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert framing.main(["--data", str(data), "--rows", "2", *arguments]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert ("short range: found" in said.out) == ("--plot" in arguments), "what was measured is printed all the same"
