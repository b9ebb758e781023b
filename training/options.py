"""Command-line options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from fer_live.errors import ConfigError


def add_data(parser: argparse.ArgumentParser, about: str = "FER2013") -> None:
    """Adds --data, the path of the data set."""
    parser.add_argument("--data", type=Path, default=Path("data/fer2013.csv"), help=f"{about} (default: %(default)s)")


def require_at_least(low: int, option: str, value: int | None) -> None:
    """Raises ConfigError naming an option whose number is below low; None is an option left out."""
    if value is not None and value < low:
        raise ConfigError(f"{option} is {value}.", f"Give a whole number from {low}.")
