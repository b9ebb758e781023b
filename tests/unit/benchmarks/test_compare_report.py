"""Figures and tables of the comparison, on results made up by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.benchmarks.compare.report import OURS, draw, found, further_face_ms, ratios, spread, tables

_BOX = [0.0, 0.0, 10.0, 10.0]


def case(faces: int, ours: list[float], theirs: list[float], found_by_them: list[int]) -> dict[str, Any]:
    """A case on a wall: frames/s of each round, on one core, and how many faces the other one found in each frame."""
    return {
        "faces": faces,
        "load": 0.5,
        "contenders": {
            OURS: _figures(ours, [faces] * 2),
            "other": _figures(theirs, found_by_them),
        },
    }


def _figures(frames_per_s: list[float], counts: list[int]) -> dict[str, Any]:
    boxes = [[_BOX] * count for count in counts]
    return {"boxes": boxes, "frames_per_s": frames_per_s, "cpu_ms": [1000 / rate for rate in frames_per_s]}


ONE = case(1, [100.0, 120.0], [20.0, 10.0], [0, 2])
FOUR = case(4, [50.0, 50.0], [5.0, 5.0], [4, 4])
SIXTEEN = case(16, [10.0, 20.0], [4.0, 4.0], [4, 4])
RESULTS = {
    "machine": {"cpu": "a CPU"},
    "versions": {OURS: {"backend": "onnx-cpu"}, "other": {"other": "1.2"}},
    "cases": {f"wall-{each['faces']}-640x480": each for each in (ONE, FOUR, SIXTEEN)},
}


@pytest.mark.parametrize(
    ("values", "text"),
    [([1.234], "1.23 (1.23-1.23)"), ([9.0, 10.0, 250.4], "10.0 (9.00-250)"), ([1.0, 2.0], "1.50 (1.00-2.00)")],
)
def test_a_spread_is_median_and_extremes(values: list[float], text: str) -> None:
    assert spread(values) == text


def test_a_ratio_is_of_one_round() -> None:
    assert ratios(ONE, "other") == [5.0, 12.0]
    assert ratios(ONE, OURS) == [1.0, 1.0]


def test_a_face_too_many_makes_up_for_none_that_was_missed() -> None:
    assert found(ONE, "other") == (0.5, 0.5)
    assert found(FOUR, "other") == (4.0, 0.0)


def test_a_further_face_costs_what_it_adds_to_a_frame() -> None:
    assert further_face_ms([ONE, FOUR], OURS) == [pytest.approx([10 / 3, (20 - 1000 / 120) / 3])]


def test_no_cost_where_no_further_face_was_found() -> None:
    assert further_face_ms([FOUR, SIXTEEN], "other") == [[]]


def test_tables_have_every_case_and_contender() -> None:
    text = tables(RESULTS)
    assert "wall-4-640x480: 2 rounds, load average 0.5" in text
    assert "| other | 15.0 (10.0-20.0) | 75.0 (50.0-100) | 8.50 (5.00-12.0) |" in text
    assert "against | wall-1-640x480 | wall-4-640x480 | wall-16-640x480 |\n|---|---|---|---|\n" in text
    assert "| other | 0.50 (0.50) | 4.00 | 4.00 |" in text
    assert "| other | 41.7 (33.3-50.0) | - |" in text


def test_part_of_the_cases_makes_no_empty_table() -> None:
    text = tables(RESULTS | {"cases": {"group-5-640x480": FOUR}})
    assert "each further face" not in text and "CPU time" not in text


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    draw(RESULTS, tmp_path / "plot.png")
    assert cv2.imread(str(tmp_path / "plot.png")).shape[1] == 900
