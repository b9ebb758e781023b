"""What a sweep has found, as a table and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.files import replace_file, save_figure
from training.metrics import wilson_interval

TABLE_FILE, PICTURE_FILE = "results.md", "results.png"
_HEADER = "| value | seeds | mean validation accuracy (95 % interval) | min-max | epochs |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Outcome:
    """How a trial ended. accuracy: best on validation, a fraction; None if the trial failed, for that reason."""

    value: str
    seed: int
    accuracy: float | None
    epochs: int = 0
    reason: str = ""


def describe(values: Sequence[str], outcomes: Sequence[Outcome], rows: int) -> str:
    """The table in Markdown, one line a value, and the trials that failed. rows: of validation."""
    lines = [_HEADER, *(_line(value, [o for o in outcomes if o.value == value], rows) for value in values)]
    failed = [f"- {o.value}, seed {o.seed}, failed: {o.reason}" for o in outcomes if o.accuracy is None]
    return "\n".join([*lines, *([""] if failed else []), *failed])


def _line(value: str, outcomes: Sequence[Outcome], rows: int) -> str:
    accuracies = _accuracies(outcomes)
    if not accuracies:
        return f"| {value} | 0 | - | - | - |"
    mean, low, high = _mean_interval(accuracies, rows)
    epochs = [o.epochs for o in outcomes if o.accuracy is not None]
    trained = f"{min(epochs)}" if min(epochs) == max(epochs) else f"{min(epochs)}-{max(epochs)}"
    return (
        f"| {value} | {len(accuracies)} | {mean:.1%} ({low:.1%}-{high:.1%}) "
        f"| {min(accuracies):.1%}-{max(accuracies):.1%} | {trained} |"
    )


def _accuracies(outcomes: Sequence[Outcome]) -> list[float]:
    return [o.accuracy for o in outcomes if o.accuracy is not None]


def _mean_interval(accuracies: Sequence[float], rows: int) -> tuple[float, float, float]:
    """Mean over seeds, and the 95 % interval of such a share of so many rows: more seeds bring no other rows."""
    mean = sum(accuracies) / len(accuracies)
    return mean, *wilson_interval(round(mean * rows), rows)


def draw_sweep(title: str, values: Sequence[str], outcomes: Sequence[Outcome], rows: int) -> Figure:
    """Each seed a point, beside it the mean of each value with its 95 % interval."""
    figure = Figure(figsize=(max(6.0, 1.2 * len(values)), 5), layout="constrained")
    axes = figure.add_subplot()
    for place, value in enumerate(values):
        accuracies = _accuracies([o for o in outcomes if o.value == value])
        if accuracies:
            mean, low, high = _mean_interval(accuracies, rows)
            axes.plot([place - 0.1] * len(accuracies), accuracies, "o", color="grey", alpha=0.6)
            axes.errorbar([place], [mean], yerr=[[mean - low], [high - mean]], fmt="s", color="C0", capsize=4)
    axes.set_xticks(range(len(values)), values, rotation=30 if len(values) > 4 else 0)
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(axis="y", alpha=0.3)
    axes.set_title(title, wrap=True, fontsize=10)
    axes.set_ylabel(f"best accuracy on {rows} validation rows")
    return figure


def save_report(out: Path, title: str, values: Sequence[str], outcomes: Sequence[Outcome], rows: int) -> None:
    """Replaces results.md and results.png; raises TrainingError if that cannot be written."""
    caution = (
        f"Best epoch of each run, on {rows} validation rows; min-max over seeds. A difference smaller than the "
        "interval, or than what seeds differ by, means nothing."
    )
    text = f"# {title}\n\n{describe(values, outcomes, rows)}\n\n{caution}\n"
    replace_file(out / TABLE_FILE, text.encode())
    save_figure(out / PICTURE_FILE, draw_sweep(title, values, outcomes, rows), 100)
