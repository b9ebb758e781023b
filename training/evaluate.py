"""Measures weights on one usage of FER2013: `python -m training.evaluate`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm import tqdm

from fer_live.backends.registry import open_backend
from fer_live.console import exit_code
from fer_live.core.modelcard import FER2013_LABELS, ModelCard, card_path, load_verified_card
from fer_live.core.preprocess import to_batch
from fer_live.errors import ConfigError, ModelError
from training.dataset import Fer2013, load_fer2013
from training.files import replace_file
from training.layouts import SPEC, TEST, TRAINING, USAGES, VALIDATION
from training.loop import predict_logits
from training.metrics import measure
from training.networks import build
from training.weights import load_weights


def evaluate(weights: Path, data: Fer2013, usage: str) -> dict[str, Any]:
    """Metrics of a weights file, verified against its model card, on the rows of a usage.

    Returns what a model card holds: see `measure`, with the model, the usage and the data's digest.
    Raises ModelError for weights that cannot be used and DataError if the usage has no rows.
    """
    rows = data.split(usage)
    card = load_verified_card(weights)
    if set(card.labels) != set(FER2013_LABELS) or card.input != SPEC:
        raise ModelError(
            f"'{weights}' is not for the labels and crop size of FER2013.", "Choose other weights."
        )
    # Labels of rows are FER2013's codes; columns of probabilities follow the card.
    columns = [card.labels.index(label) for label in FER2013_LABELS]
    probabilities = _predict(weights, card, rows.images)[:, columns]
    repeats = data.repeats_of_training(usage) if usage != TRAINING and TRAINING in data.splits else None
    metrics = measure(probabilities, rows.labels, FER2013_LABELS, repeats)
    return {"model": card.name, "usage": usage, "data_digest": data.digest(), **metrics}


def _predict(weights: Path, card: ModelCard, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities float32 (N, K) in the card's order of crops uint8 (N, 48, 48)."""
    if weights.suffix == ".onnx":
        return _predict_live(weights, crops)
    if weights.suffix != ".safetensors":
        raise ModelError(f"'{weights}' ends neither in .onnx nor in .safetensors.", "Give one of the two.")
    network = build(card.name, len(card.labels))
    load_weights(network, card.name, weights)
    logits = predict_logits(network, crops, card.input)
    return np.asarray(softmax(logits / card.temperature, axis=1), np.float32)


def _predict_live(weights: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    with open_backend("onnx-cpu", weights) as backend:
        starts = range(0, len(crops), backend.max_batch)
        parts = [
            backend.infer(to_batch(crops[start : start + backend.max_batch], backend.card.input))
            for start in tqdm(starts, desc="Evaluating", unit=" batches", leave=False)
        ]
    return np.concatenate(parts)


def write_test(weights: Path, metrics: dict[str, Any]) -> None:
    """Puts metrics into the test block of the card of a weights file; nothing else of it changes."""
    card = load_verified_card(weights).model_copy(update={"test": metrics})
    replace_file(card_path(weights), card.model_dump_json(indent=2).encode())


def as_table(metrics: dict[str, Any]) -> str:
    """The metrics for reading, in per cent."""
    lines = [f"{metrics['model']} on {metrics['usage']}"]
    lines += _overall_lines(metrics)
    for label, recall in metrics["per_class_recall"].items():
        lines.append(f"  recall {label:<11}" + ("   no rows" if recall is None else f"{recall:9.1%}"))
    unique = metrics["without_training_duplicates"]
    if unique is not None:
        lines += ["without the rows whose pixels are also in Training", *_overall_lines(unique)]
    return "\n".join(lines)


def _overall_lines(metrics: dict[str, Any]) -> list[str]:
    low, high = metrics["accuracy_ci95"]
    return [
        f"  faces             {metrics['n']:9d}",
        f"  accuracy          {metrics['accuracy']:9.1%}  (95 % interval {low:.1%} to {high:.1%})",
        f"  macro-F1          {metrics['macro_f1']:9.1%}",
        f"  calibration error {metrics['ece']:9.1%}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__)
    add = parser.add_argument
    add(
        "--weights", type=Path, required=True, help=".onnx, run as in live use, or .safetensors, run in torch"
    )
    add("--data", type=Path, default=Path("data/fer2013.csv"), help="FER2013 (default: %(default)s)")
    add("--usage", choices=USAGES, default=VALIDATION, help="rows to measure on (default: %(default)s)")
    add("--json", action="store_true", help="print one JSON object; shares are fractions")
    add("--write-test", action="store_true", help=f"fill the card's test block; only with --usage {TEST}")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    if arguments.write_test and arguments.usage != TEST:
        raise ConfigError(f"--write-test belongs to --usage {TEST}, not {arguments.usage}.")
    metrics = evaluate(arguments.weights, load_fer2013(arguments.data), arguments.usage)
    if arguments.write_test:
        write_test(arguments.weights, metrics)
    print(json.dumps(metrics) if arguments.json else as_table(metrics))


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
