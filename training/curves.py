"""The picture of a run: how far it is, and what its network confuses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from fer_live.core.modelcard import FER2013_LABELS
from training.files import save_figure
from training.plots import show_confusion

FILE_NAME = "curves.png"


def draw_curves(
    history: Sequence[dict[str, float]], labels: NDArray[np.int64], called: NDArray[np.int64]
) -> Figure:
    """Loss and validation accuracy by epoch, and the confusion matrix of the last.

    history: see Progress. labels, called: int64 (N,) of the validation rows.
    """
    figure = Figure(figsize=(13, 6), layout="constrained")
    halves = figure.add_gridspec(1, 2, width_ratios=(5, 7))
    left, right = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    upper, lower = left.subplots(2, sharex=True)
    epochs = range(1, len(history) + 1)
    accuracies = [past["accuracy"] for past in history]
    upper.plot(epochs, [past["loss"] for past in history], marker=".")
    upper.set(ylabel="loss")
    lower.plot(epochs, accuracies, marker=".")
    lower.set(xlabel="epoch", ylabel="validation accuracy")
    lower.set_title(f"best {max(accuracies):.1%} in epoch {int(np.argmax(accuracies)) + 1}")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
    lower.xaxis.get_major_locator().set_params(integer=True)
    counts = confusion_matrix(labels, called, labels=range(len(FER2013_LABELS)))
    show_confusion(right.add_subplot(), FER2013_LABELS, counts, f"epoch {len(history)}: {accuracies[-1]:.1%} right")
    return figure


def save_curves(
    run: Path, history: Sequence[dict[str, float]], labels: NDArray[np.int64], called: NDArray[np.int64]
) -> None:
    """Replaces the picture in a run's folder; raises TrainingError if that cannot be written."""
    save_figure(run / FILE_NAME, draw_curves(history, labels, called), 100)
