"""Pictures of an evaluation: confusion matrix, reliability diagram, worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.dataset import Split
from training.files import save_figure
from training.metrics import reliability_bins

_MISTAKES = 24
_COLUMNS = 6
_DARK_CELL = 0.5


def draw_confusion(confusion_matrix: dict[str, Any], title: str) -> Figure:
    """A confusion matrix alone; takes what `measure` gives."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    show_confusion(figure.add_subplot(), confusion_matrix["labels"], np.array(confusion_matrix["counts"]), title)
    return figure


def show_confusion(axes: Axes, names: Sequence[str], counts: NDArray[np.int64], title: str) -> None:
    """Each label's row in shares of its faces, with counts int64 (K, K): labels down, what they were called across."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > _DARK_CELL else "black"
        text = f"{shares[row, column]:.0%}\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=45)
    axes.set_yticks(range(len(names)), names)
    axes.set(title=title, xlabel="called", ylabel="label in FER2013")


def draw_reliability(probabilities: NDArray[np.floating], labels: NDArray[np.int64], title: str) -> Figure:
    """Accuracy by confidence, 15 bins, over the number of faces in each (Guo et al. 2017, arXiv 1706.04599)."""
    bins = reliability_bins(probabilities, labels)
    filled = bins.counts > 0
    confidence = bins.confidences[filled] / bins.counts[filled]
    figure = Figure(figsize=(6, 6), layout="constrained")
    upper, lower = figure.subplots(2, height_ratios=(4, 1), sharex=True)
    upper.plot((0, 1), (0, 1), color="grey", linestyle=":", label="calibrated")
    upper.plot(confidence, bins.hits[filled] / bins.counts[filled], marker="o", label="measured")
    upper.set(title=title, ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    upper.legend(loc="upper left")
    edges = np.linspace(0, 1, len(bins.counts) + 1)
    lower.bar(edges[:-1], bins.counts, width=np.diff(edges), align="edge", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="faces")
    return figure


def worst_mistakes(probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """At most 24 rows that are called wrong, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    confidence = probabilities.max(axis=1)[wrong]
    return wrong[np.argsort(-confidence, kind="stable")][:_MISTAKES]


def draw_mistakes(rows: Split, probabilities: NDArray[np.floating], names: Sequence[str], title: str) -> Figure:
    """The worst mistakes with what each was called, how confidently, its label and its row within the usage."""
    worst = worst_mistakes(probabilities, rows.labels)
    figure = Figure(figsize=(12, 9), layout="constrained")
    figure.suptitle(title)
    places = np.atleast_2d(figure.subplots(_MISTAKES // _COLUMNS, _COLUMNS)).ravel()
    for axes in places:
        axes.axis("off")
    for axes, row in zip(places, worst.tolist(), strict=False):
        _show(axes, rows.images[row])
        called, confidence = int(probabilities[row].argmax()), float(probabilities[row].max())
        axes.set_title(f"{names[called]} {confidence:.0%}\nlabel {names[rows.labels[row]]}, row {row}", fontsize=8)
    return figure


def _show(axes: Axes, face: NDArray[np.uint8]) -> None:
    axes.imshow(face, cmap="gray", vmin=0, vmax=255)


def save_plots(
    folder: Path, metrics: dict[str, Any], rows: Split, probabilities: NDArray[np.floating]
) -> list[Path]:
    """Writes <model>-<usage>-{confusion,reliability,mistakes}.png; the last one shows faces of the data set.

    Raises TrainingError if a file cannot be written; the folder must exist.
    """
    stem = f"{metrics['model']}-{metrics['usage']}"
    views = "" if metrics["tta"] == "none" else f", {metrics['tta']}"
    title = f"{metrics['model']} on {metrics['usage']}{views}: {metrics['accuracy']:.1%} of {metrics['n']} faces right"
    figures = {
        "confusion": draw_confusion(metrics["confusion_matrix"], title),
        "reliability": draw_reliability(probabilities, rows.labels, f"{title}\ncalibration error {metrics['ece']:.1%}"),
        "mistakes": draw_mistakes(rows, probabilities, metrics["confusion_matrix"]["labels"], title),
    }
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{stem}-{name}.png")
        save_figure(paths[-1], figure, 120)
    return paths
