"""Checks of command-line options that several commands share."""

from __future__ import annotations

from fer_live.errors import ConfigError


def require_at_least(low: int, option: str, value: int | None) -> None:
    """Raises ConfigError naming an option whose number is below low; None is an option left out."""
    if value is not None and value < low:
        raise ConfigError(f"{option} is {value}.", f"Give a whole number from {low}.")
