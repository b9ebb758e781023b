from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import TrainingError
from training.dataset import Split
from training.metrics import measure
from training.plots import draw_confusion, draw_mistakes, draw_reliability, save_plots, worst_mistakes

MakeFaces = Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int64]]]


@pytest.fixture
def rows(faces: MakeFaces) -> Split:
    return Split("PublicTest", *faces(2, 0))


@pytest.fixture
def probabilities(rows: Split) -> NDArray[np.float32]:
    """All right but rows 3 and 8, which are called neutral with 60 and 80 %."""
    called = rows.labels.copy()
    called[[3, 8]] = 6
    confidence = np.full(len(rows), 0.9)
    confidence[[3, 8]] = 0.6, 0.8
    spread = np.repeat(((1 - confidence) / 6)[:, np.newaxis], 7, axis=1)
    spread[np.arange(len(rows)), called] = confidence
    return spread.astype(np.float32)


def test_worst_mistakes_come_most_confident_first(rows: Split, probabilities: NDArray[np.float32]) -> None:
    assert worst_mistakes(probabilities, rows.labels).tolist() == [8, 3]


def test_mistakes_are_few_enough_for_one_picture() -> None:
    probabilities = np.array([[0.9, 0.1]] * 100)
    assert len(worst_mistakes(probabilities, np.ones(100, np.int64))) == 24


def test_captions_say_call_confidence_and_label(rows: Split, probabilities: NDArray[np.float32]) -> None:
    figure = draw_mistakes(rows, probabilities, FER2013_LABELS, "title")
    captions = [axes.get_title() for axes in figure.axes if axes.images]
    assert captions == ["neutral 80%\nlabel disgust, row 8", "neutral 60%\nlabel happy, row 3"]


def test_picture_without_mistakes(rows: Split) -> None:
    right = np.eye(7)[rows.labels]
    assert not any(axes.images for axes in draw_mistakes(rows, right, FER2013_LABELS, "title").axes)


def test_cells_say_share_and_count() -> None:
    figure = draw_confusion({"labels": ["happy", "sad"], "counts": [[3, 1], [0, 0]]}, "title")
    assert [text.get_text() for text in figure.axes[0].texts] == ["75%\n3", "25%\n1", "0%\n0", "0%\n0"]


def test_reliability_shows_each_filled_bin(rows: Split, probabilities: NDArray[np.float32]) -> None:
    upper, lower = draw_reliability(probabilities, rows.labels, "title").axes
    measured = upper.lines[1]
    assert measured.get_xdata() == pytest.approx([0.6, 0.8, 0.9], abs=1e-6)
    assert list(measured.get_ydata()) == [0.0, 0.0, 1.0]
    assert sum(bar.get_height() for bar in lower.patches) == len(rows)


def test_three_pictures_are_saved(tmp_path: Path, rows: Split, probabilities: NDArray[np.float32]) -> None:
    metrics = {"model": "net", "usage": "PublicTest", "tta": "none"}
    metrics |= measure(probabilities, rows.labels, FER2013_LABELS, None)
    paths = save_plots(tmp_path, metrics, rows, probabilities)
    assert sorted(os.listdir(tmp_path)) == sorted(path.name for path in paths)
    assert [path.name for path in paths] == [
        f"net-PublicTest-{kind}.png" for kind in ("confusion", "reliability", "mistakes")
    ]
    for path in paths:
        assert cv2.imread(str(path)).std() > 10


def test_full_disk_is_said(
    tmp_path: Path, rows: Split, probabilities: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    metrics = {"model": "net", "usage": "PublicTest", "tta": "none"}
    metrics |= measure(probabilities, rows.labels, FER2013_LABELS, None)
    with pytest.raises(TrainingError, match="No space left"):
        save_plots(tmp_path, metrics, rows, probabilities)
    assert os.listdir(tmp_path) == []
