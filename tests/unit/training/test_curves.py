from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from training.config import FitConfig
from training.curves import FILE_NAME, draw_curves
from training.dataset import Fer2013
from training.train import train


def test_the_picture_shows_every_epoch_and_every_validation_row() -> None:
    history = [{"loss": loss, "accuracy": accuracy} for loss, accuracy in ((2.0, 0.2), (1.75, 0.5), (1.5, 0.4))]
    labels, called = np.arange(7), np.array([0, 1, 2, 3, 3, 3, 3])
    figure = draw_curves(history, labels, called)
    loss, accuracy, confusion = (axes for part in figure.subfigs for axes in part.axes)
    assert loss.lines[0].get_ydata().tolist() == [2.0, 1.75, 1.5]
    assert accuracy.lines[0].get_ydata().tolist() == [0.2, 0.5, 0.4]
    assert accuracy.get_title() == "best 50.0% in epoch 2"
    assert sum(int(text.get_text().splitlines()[-1]) for text in confusion.texts) == 7
    assert confusion.get_title() == "epoch 3: 40.0% right"


def test_every_epoch_replaces_it(tmp_path: Path, small_data: Fer2013, quick: Callable[..., FitConfig]) -> None:
    train(quick(epochs=1), small_data, tmp_path)
    before = (tmp_path / FILE_NAME).read_bytes()
    assert cv2.imread(str(tmp_path / FILE_NAME)).shape == (600, 1300, 3)
    (tmp_path / "other").mkdir()
    train(quick(epochs=2), small_data, tmp_path / "other")
    assert (tmp_path / "other" / FILE_NAME).read_bytes() != before
