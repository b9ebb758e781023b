from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_live.config import QualityConfig
from training import quality
from training.quality import TURN_EDGES, compare, main, settings


def _step(drop: float, **place: float) -> dict[str, Any]:
    return {**place, "drop": drop}


def _record(sizes: list[float], sharp: list[float], turned: list[float]) -> dict[str, Any]:
    """Drops by side, largest first, and by sharpness; upper ends of the accuracy by turn; whole faces have 0.6."""
    return {
        "plain": {"accuracy": 0.6},
        "sizes": [_step(drop, side_px=side) for side, drop in zip((40, 33, 22), sizes, strict=True)],
        "sharpness": [_step(drop, low=place, high=place + 1) for place, drop in enumerate(sharp)],
        "turns": [{"low": low, "accuracy_ci95": [0, high]} for low, high in zip(TURN_EDGES, turned, strict=False)],
    }


def test_losses_are_counted_face_by_face() -> None:
    figures = compare(np.array([True, False, False, True]), np.array([True, True, False, False]))
    assert (figures["n"], figures["accuracy"], figures["drop"]) == (4, 0.5, 0.0)
    # Losses are 0, 1, 0 and -1: their standard deviation is the root of 1/2.
    assert figures["drop_se"] == pytest.approx(np.sqrt(0.5 / 4))


def test_settings_are_the_loosest_that_keep_the_margin() -> None:
    found = settings(_record([0.01, 0.03, 0.05], [0.2, 0.04, 0.03, 0.0], [0.7, 0.65, 0.59, 0.5]))
    # A square of 33 px holds a box of 30.
    assert found == {"min_face_px": 30, "min_sharpness": 2, "max_turn": TURN_EDGES[2]}


def test_a_size_that_happens_to_do_well_below_one_that_does_not_is_not_trusted() -> None:
    assert settings(_record([0.02, 0.04, 0.01], [0.0], [0.7]))["min_face_px"] == 37


def test_everything_may_pass() -> None:
    found = settings(_record([0.0, 0.0, 0.0], [0.0, 0.0], [0.7, 0.7]))
    assert found == {"min_face_px": 20, "min_sharpness": 0, "max_turn": TURN_EDGES[-1]}


@pytest.mark.parametrize("as_json", [True, False])
def test_the_study_runs(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr(quality, "SIDES_PX", (40, 12))
    monkeypatch.setattr(quality, "SIGMAS_PX", (2.0,))
    # The faces of these tests are bars in noise, in which no finder sees a face.
    monkeypatch.setattr(quality.Study, "turned", lambda self: (0, []))
    picture = tmp_path / "quality.png"
    arguments = ["--weights", str(trained.run / "mobilevit_xxs.onnx"), "--data", str(trained.data), "--rows", "12"]
    assert main([*arguments, "--plot", str(picture), *(["--json"] if as_json else [])]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    if not as_json:
        assert "| 40 | 12 | " in said
        assert f"min_face_px {QualityConfig().min_face_px}, " in said
        return
    record = json.loads(said, parse_constant=pytest.fail)  # JSON has no infinity
    assert record["sharpness"][-1]["high"] is None
    assert [step["side_px"] for step in record["sizes"]] == [40, 12]
    assert sum(step["n"] for step in record["sharpness"]) == 2 * 12
    assert [step["n"] for step in record["blurs"]] == [12, 12]
    assert record["blurs"][0]["sharpness_p50"] > record["blurs"][1]["sharpness_p50"]


def test_no_limit_of_sharpness_suffices_where_the_sharpest_faces_lose_too_much() -> None:
    record = _record([0.0, 0.0, 0.0], [0.1, 0.1], [0.7])
    record["sharpness"][-1]["high"] = None
    assert settings(record)["min_sharpness"] == 1


def test_a_picture_that_cannot_be_written_costs_no_figure(
    trained: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "SIDES_PX", (40,))
    monkeypatch.setattr(quality, "SIGMAS_PX", (2.0,))
    arguments = ["--weights", str(trained.run / "mobilevit_xxs.onnx"), "--data", str(trained.data), "--rows", "1"]
    assert main([*arguments, "--plot", "/nowhere/at/all.png"]) == 2
    said = capsys.readouterr()
    assert "'/nowhere/at/all.png' cannot be written" in said.err
    assert "| 40 | 1 | " in said.out


def test_turned_faces_are_those_that_are_found(trained: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.dataset import load_fer2013
    from training.prediction import fer2013_card

    rows = load_fer2013(trained.data).split("PublicTest")
    weights = trained.run / "mobilevit_xxs.onnx"
    study = quality.Study(weights, fer2013_card(weights), rows)
    found = quality.surest_finds(rows.images[:1], quality.SHORT_RANGE)[0]
    assert len(found) == 0
    keypoints = np.zeros((1, 6, 2), np.float32)
    keypoints[0, 4], keypoints[0, 5], keypoints[0, 2] = (-10, 0), (10, 0), (5, 3)
    face = type(found)(np.zeros((1, 4), np.float32), np.ones(1, np.float32), keypoints, np.zeros((1, 4), np.float32))
    monkeypatch.setattr(quality, "surest_finds", lambda images, model: [found] + [face] * (len(images) - 1))
    count, steps = study.turned()
    assert (count, [(step["low"], step["n"]) for step in steps]) == (27, [(0.4, 27)])


@pytest.mark.parametrize("rows", ["0", "-3"])
def test_bad_rows_are_one_sentence(rows: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--weights", "w.onnx", "--rows", rows]) == 2
    assert f"--rows is {rows}" in capsys.readouterr().err
