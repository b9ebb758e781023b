"""Measures weights on one usage of FER2013: `python -m training.evaluate`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.console import exit_code
from fer_live.core.modelcard import FER2013_LABELS, card_path, load_verified_card
from fer_live.errors import ConfigError
from training.dataset import Fer2013, load_fer2013
from training.files import require_writable, write_card
from training.layouts import TEST, TRAINING, USAGES, VALIDATION
from training.metrics import measure
from training.options import add_data
from training.plots import save_plots
from training.prediction import fer2013_card, predict
from training.tta import VIEWS
from training.votes import by_agreement, votes_on


def evaluate(weights: Path, data: Fer2013, usage: str, tta: str = "none") -> dict[str, Any]:
    """Metrics of a weights file, verified against its model card, on the rows of a usage.

    tta: a name of `training.tta.VIEWS`. Returns what a model card holds: see `measure`, with the model, the usage,
    tta and the data's digest.
    Raises ModelError for weights that cannot be used and DataError if the usage has no rows.
    """
    rows = data.split(usage)
    card = fer2013_card(weights)
    return _metrics(card.name, data, usage, tta, predict(weights, card, rows.images, tta))


def _metrics(
    model: str, data: Fer2013, usage: str, tta: str, probabilities: NDArray[np.float32]
) -> dict[str, Any]:
    repeats = data.repeats_of_training(usage) if usage != TRAINING and TRAINING in data.splits else None
    metrics = measure(probabilities, data.split(usage).labels, FER2013_LABELS, repeats)
    return {"model": model, "usage": usage, "tta": tta, "data_digest": data.digest(), **metrics}


def write_test(weights: Path, metrics: dict[str, Any]) -> None:
    """Puts metrics into the test block of the card of a weights file; nothing else of it changes."""
    card = load_verified_card(weights).model_copy(update={"test": metrics})
    write_card(card_path(weights), card)


def as_table(metrics: dict[str, Any]) -> str:
    """The metrics for reading, in per cent."""
    views = "" if metrics["tta"] == "none" else f", test-time augmentation {metrics['tta']}"
    lines = [f"{metrics['model']} on {metrics['usage']}{views}", *_overall_lines(metrics), *_class_lines(metrics)]
    unique = metrics["without_training_duplicates"]
    if unique is not None:
        lines += ["without the rows whose pixels are also in Training", *_overall_lines(unique), *_class_lines(unique)]
    lines += _confusion_lines(metrics["confusion_matrix"])
    if "votes" in metrics:
        lines += _votes_lines(metrics["votes"])
    return "\n".join(lines)


def _overall_lines(metrics: dict[str, Any]) -> list[str]:
    (low, high), (f1_low, f1_high) = metrics["accuracy_ci95"], metrics["macro_f1_ci95"]
    return [
        f"  faces             {metrics['n']:9d}",
        f"  accuracy          {metrics['accuracy']:9.1%}  (95 % interval {low:.1%} to {high:.1%})",
        f"  macro-F1          {metrics['macro_f1']:9.1%}  (95 % interval {f1_low:.1%} to {f1_high:.1%})",
        f"  calibration error {metrics['ece']:9.1%}",
    ]


def _class_lines(metrics: dict[str, Any]) -> list[str]:
    rows = {**metrics["per_class"], "macro mean": metrics["averages"]["macro"]}
    rows["weighted mean"] = metrics["averages"]["weighted"]
    return ["  " + " " * 15 + " precision    recall        F1     faces"] + [
        f"  {name:<15}{row['precision']:10.1%}{row['recall']:10.1%}{row['f1']:10.1%}{row.get('support', ''):>10}"
        for name, row in rows.items()
    ]


def _confusion_lines(matrix: dict[str, Any]) -> list[str]:
    lines = ["faces by label (rows) and what they were called (columns)"]
    lines.append("  " + " " * 10 + "".join(f"{name:>10}" for name in matrix["labels"]))
    for name, counts in zip(matrix["labels"], matrix["counts"], strict=True):
        lines.append(f"  {name:<10}" + "".join(f"{count:10d}" for count in counts))
    return lines


def _votes_lines(votes: dict[str, Any]) -> list[str]:
    rows = {"majority agrees with the label": votes["agrees"], "it does not, or there is none": votes["disagrees"]}
    rows |= {f"largest share over {band['from']:.0%} up to {band['to']:.0%}": band for band in votes["bands"]}
    return ["accuracy by the votes of FER+", *(f"  {name:<36}{_share(row)}" for name, row in rows.items())]


def _share(row: dict[str, Any]) -> str:
    if row["n"] == 0:
        return "no faces"
    low, high = row["accuracy_ci95"]
    return f"{row['accuracy']:6.1%}  (95 % interval {low:.1%} to {high:.1%}, {row['n']} faces)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    add = parser.add_argument
    add(
        "--weights", type=Path, required=True, help=".onnx, run as in live use, or .safetensors, run in torch"
    )
    add_report_options(parser)
    add("--write-test", action="store_true", help=f"fill the card's test block; only with --usage {TEST}")
    return parser


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `report` reads: --data, --usage, --tta, --votes, --plots, --json."""
    add = parser.add_argument
    add_data(parser)
    add("--usage", choices=USAGES, default=VALIDATION, help="rows to measure on (default: %(default)s)")
    about_tta = "views of each face to average over: its mirror image, or ten crops (default: %(default)s)"
    add("--tta", choices=list(VIEWS), default="none", help=about_tta)
    add("--votes", type=Path, metavar="CSV", help="FER+'s fer2013new.csv: adds accuracy by how much its voters agree")
    about_plots = "write confusion matrix, reliability diagram and worst mistakes there, with faces of the data set"
    add("--plots", type=Path, metavar="DIR", help=about_plots)
    add("--json", action="store_true", help="print one JSON object; shares are fractions")


def report(
    arguments: argparse.Namespace, model: str, classify: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> dict[str, Any]:
    """Measures what classify answers, prints it and draws it as the options of `add_report_options` ask.

    model: the name to report it by. classify: crops uint8 (N, 48, 48) -> probabilities float32 (N, 7) in the order of
    FER2013's codes. Returns what `evaluate` does. Raises DataError, and TrainingError if a plot cannot be written.
    """
    usage = arguments.usage
    if arguments.plots is not None:
        require_writable(arguments.plots, "--plots")
    data = load_fer2013(arguments.data)
    rows = data.split(usage)
    votes = None if arguments.votes is None else votes_on(data, usage, arguments.votes)
    probabilities = classify(rows.images)
    metrics = _metrics(model, data, usage, arguments.tta, probabilities)
    shown = dict(metrics)
    if votes is not None:
        shown["votes"] = by_agreement(votes, rows.labels, probabilities.argmax(axis=1))
    print(json.dumps(shown) if arguments.json else as_table(shown))
    if arguments.plots is not None:
        for path in save_plots(arguments.plots, metrics, rows, probabilities):
            print(f"written: {path}", file=sys.stderr)
    return metrics


def _command(arguments: argparse.Namespace) -> None:
    weights, usage, tta = arguments.weights, arguments.usage, arguments.tta
    if arguments.write_test and (usage, tta) != (TEST, "none"):
        raise ConfigError(f"--write-test belongs to --usage {TEST} and --tta none, not {usage} and {tta}.")
    card = fer2013_card(weights)
    metrics = report(arguments, card.name, lambda crops: predict(weights, card, crops, tta))
    if arguments.write_test:
        write_test(weights, metrics)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
