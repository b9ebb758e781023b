"""Every network that `training.fit` trains, listed and measured alike: `python -m training.zoo`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from fer_live.console import exit_code
from fer_live.errors import ConfigError
from training.dataset import load_fer2013
from training.networks import NETWORKS
from training.options import add_data, require_at_least
from training.zoo_accuracy import Budget, Learnt
from training.zoo_results import measure_zoo, read_learnt, read_speeds
from training.zoo_sizes import Size, sizes
from training.zoo_speed import Speed

REPORTED = {
    "fc_tiny": "test 30.3, macro-F1 0.22",
    "fc_basic": "val 36.2",
    "fc_deep": "val 34.3",
    "cnn3": "val 58.9",
    "simple_cnn": "overfits 200 samples",
    "simple_cnn5": "val 59.1",
    "simple_cnn5_bn": "val 57.7",
    "deep_cnn": "val 57.7",
    "plain_deep_cnn": "25.8",
    "attention_cnn": "val 63",
    "enhanced_cnn": "val 61.5, test 58.3",
    "resnet_fer": "59.3",
    "resnet18": "test 65.3",
    "resnet34": "test 64.1",
    "resnet50": "test 62.9",
    "vit": "test 55.7",
    "vgg_fer": "test 73.3, ten crops",
}
"""Accuracy in per cent that the source of a network reported, each with its own recipe and rows."""
_NONE = "\N{EN DASH}"


def listing(found: Sequence[Size]) -> str:
    """Sizes as an aligned table."""
    wide = max(len(size.name) for size in found)
    lines = [f"{'network':<{wide}}  {'parameters':>11}  {'MMACs':>8}"]
    lines += [f"{size.name:<{wide}}  {size.params:>11,}  {size.mmacs:>8,.1f}" for size in found]
    return "\n".join(lines)


def markdown(found: Sequence[Size], speeds: Mapping[str, Speed], learnt: Mapping[str, Learnt]) -> str:
    """The table of docs/zoo.md; what is not measured is a dash."""
    lines = [
        "| network | parameters | MMACs | ms a face | epochs | accuracy (95 % interval) | macro-F1 | source reported |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in found:
        cells = [size.name, f"{size.params:,}", f"{size.mmacs:,.1f}", _time(speeds.get(size.name))]
        cells += [*_accuracy(learnt.get(size.name)), REPORTED.get(size.name, _NONE)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _time(speed: Speed | None) -> str:
    return _NONE if speed is None else f"{speed.ms:.2f} ({speed.ms_p10:.2f} to {speed.ms_p90:.2f})"


def _accuracy(result: Learnt | None) -> list[str]:
    """Epochs, accuracy and macro-F1 as cells."""
    if result is None:
        return [_NONE] * 3
    if result.accuracy is None or result.accuracy_ci95 is None or result.macro_f1 is None:
        return [f"{result.epochs:.1f}", "too big", "too big"]
    low, high = result.accuracy_ci95
    accuracy = f"{result.accuracy:.1%} ({low * 100:.1f} to {high * 100:.1f})"
    return [f"{result.epochs:.1f}", accuracy, f"{result.macro_f1:.1%}"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.zoo", description="Lists the networks with their size, or measures them alike."
    )
    add = parser.add_argument
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--json", action="store_true", help="list as JSON: name, params, mmacs (of one 48x48 crop)")
    about_measure = "train each with one short recipe and time it; what is in --run is not done again"
    mode.add_argument("--measure", action="store_true", help=about_measure)
    mode.add_argument("--table", action="store_true", help="print the Markdown table of what --run holds")
    add("--only", nargs="+", metavar="NAME", help="these networks (default: all)")
    add_data(parser, "FER2013, for --measure")
    add("--run", type=Path, default=Path("runs/zoo"), help="folder of the results (default: %(default)s)")
    add("--minutes", type=float, default=10.0, help="of one core, to train a network (default: %(default)s)")
    add("--seed", type=int, default=0, help="of weights, order and augmentation (default: %(default)s)")
    return parser


def _command(arguments: argparse.Namespace) -> None:
    require_at_least(0, "--seed", arguments.seed)
    if not arguments.minutes > 0:
        raise ConfigError(f"--minutes is {arguments.minutes:g}.", "Give more than 0 minutes.")
    names = list(dict.fromkeys(arguments.only or NETWORKS))
    found = sizes(names)
    if arguments.json:
        print(json.dumps([asdict(size) for size in found]))
    elif arguments.measure:
        data = load_fer2013(arguments.data)
        torch.set_num_threads(1)
        budget = Budget(minutes=arguments.minutes, seed=arguments.seed, data_digest=data.digest())
        measure_zoo(names, data, arguments.run, budget)
    if arguments.measure or arguments.table:
        print(markdown(found, read_speeds(arguments.run), read_learnt(arguments.run)))
    elif not arguments.json:
        print(listing(found))


def main(argv: list[str] | None = None) -> int:
    """Returns 0, 2 after one sentence on standard error, or 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    return exit_code(lambda: _command(arguments))


if __name__ == "__main__":
    sys.exit(main())
