"""Measures several weights as one: the mean of their probabilities. `python -m training.ensemble`.

The mean of several networks' probabilities, all of equal weight, is the plainest ensemble (Lakshminarayanan et al.
2017, arXiv 1612.01474). It costs as much time as all of them together, so live use has one network.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fer_live.console import exit_code
from training.evaluate import add_report_options, report
from training.prediction import cards_of_ensemble, predict_mean


def _parser() -> argparse.ArgumentParser:
    about = "Measures the mean of several weights' probabilities on one usage of FER2013."
    parser = argparse.ArgumentParser(prog="python -m training.ensemble", description=about)
    about_weights = "two or more of .onnx, run as in live use, and .safetensors, run in torch; of any networks"
    parser.add_argument("--weights", type=Path, nargs="+", required=True, metavar="FILE", help=about_weights)
    add_report_options(parser)
    return parser


def _command(arguments: argparse.Namespace) -> None:
    weights, tta = arguments.weights, arguments.tta
    cards = cards_of_ensemble(weights)
    model = "+".join(card.name for card in cards)
    report(arguments, model, lambda crops: predict_mean(weights, cards, crops, tta))


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
