"""Single keys: what each does, said once for the keyboard and for the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """press: characters in lower case; each runs its own of runs. name: as printed on it. does: for the help."""

    press: str
    name: str
    does: str
    runs: Sequence[Callable[[], None]]


class Keys:
    """The keys of a window."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self._runs = {press: run for key in keys for press, run in zip(key.press, key.runs, strict=True)}

    def press(self, text: str) -> bool:
        """Runs what a key does; False if it does nothing."""
        run = self._runs.get(text.lower())
        if run is not None:
            run()
        return run is not None

    def help(self) -> str:
        """All of them in a line."""
        return " · ".join(f"{key.name}: {key.does}" for key in self._keys)
