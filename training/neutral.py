"""What a network typically says of a neutral face, for the neutral baseline: `python -m training.neutral`.

Training writes it into every new card; this command puts it into the card of weights that were made before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from fer_live.console import exit_code
from fer_live.core.baseline import log_probabilities
from fer_live.core.modelcard import FER2013_LABELS, card_path
from training.dataset import Split, load_fer2013, require_every_class
from training.files import replace_file
from training.layouts import VALIDATION
from training.prediction import fer2013_card, predict


def neutral_logits(weights: Path, rows: Split) -> tuple[float, ...]:
    """Mean logarithms of the probabilities over the rows labelled neutral, of which there must be one, in the order of
    the card's labels. Raises what `predict` raises."""
    card = fer2013_card(weights)
    crops = rows.images[rows.labels == FER2013_LABELS.index("neutral")]
    means = log_probabilities(predict(weights, card, crops)).mean(axis=0, dtype=np.float64)
    return tuple(float(means[FER2013_LABELS.index(label)]) for label in card.labels)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.neutral",
        description="Writes what a network says of neutral validation faces into its model card.",
    )
    add = parser.add_argument
    add("--weights", type=Path, required=True, help=".onnx, run as in live use, or .safetensors, run in torch")
    add("--data", type=Path, default=Path("data/fer2013.csv"), help="FER2013 (default: %(default)s)")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    data = load_fer2013(arguments.data)
    require_every_class(data, VALIDATION)
    card = fer2013_card(arguments.weights)
    card = card.model_copy(update={"neutral_logits": neutral_logits(arguments.weights, data.split(VALIDATION))})
    path = card_path(arguments.weights)
    replace_file(path, card.model_dump_json(indent=2).encode())
    print(f"written: {path}")


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
