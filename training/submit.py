"""Labels the competition's test.csv: `python -m training.submit` writes what Kaggle takes.

That is 'Challenges in Representation Learning: Facial Expression Recognition' of 2013. docs/training.md says where the
format was checked.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live.console import exit_code
from fer_live.errors import ConfigError
from training.files import replace_file, require_writable
from training.layouts import read_unlabelled
from training.prediction import cards_of_ensemble, predict_mean

_COLUMN = "emotion"


def as_submission(labels: NDArray[np.int64]) -> str:
    """The file's text: the column's name, then a row for each of labels, int64 (N,), FER2013 codes."""
    return "\n".join([_COLUMN, *map(str, labels.tolist())]) + "\n"


def _parser() -> argparse.ArgumentParser:
    about = "Labels the faces of test.csv of Kaggle's facial expression challenge, one row for each, in its order."
    parser = argparse.ArgumentParser(prog="python -m training.submit", description=about)
    add = parser.add_argument
    about_weights = ".onnx, run as in live use, or .safetensors, run in torch; of several the mean of probabilities"
    add("--weights", type=Path, nargs="+", required=True, metavar="FILE", help=about_weights)
    add("--test", type=Path, required=True, metavar="CSV", help="faces in a column 'pixels'; may be .gz or .zip")
    add("--out", type=Path, required=True, metavar="CSV", help="where to write the column 'emotion', 0 to 6")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    weights, test, out = arguments.weights, arguments.test, arguments.out
    if out.resolve() == test.resolve():
        raise ConfigError(f"--out '{out}' is the file of --test, which it would replace.", "Choose another --out.")
    require_writable(out.parent, "--out")
    cards = cards_of_ensemble(weights)
    labels = predict_mean(weights, cards, read_unlabelled(test)).argmax(axis=1)
    replace_file(out, as_submission(labels).encode(), "Choose another --out.")
    print(f"written: {out}, {len(labels)} rows")


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 2 after one sentence on standard error."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
