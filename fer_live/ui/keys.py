"""Single keys: what each does, said once for the keyboard and for the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PyQt6.QtGui import QKeySequence

_NO_BREAK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Key:
    """press: characters in lower case; each runs its own of runs. name: as printed on it. does: for the help.

    repeats: whether it goes on while it is held down.
    """

    press: str
    name: str
    does: str
    runs: Sequence[Callable[[], None]]
    repeats: bool = False


class Keys:
    """The keys of a window."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self._runs = {press: (key, run) for key in keys for press, run in zip(key.press, key.runs, strict=True)}

    def press(self, text: str, is_held: bool = False) -> bool:
        """Runs what a key does; False if it does nothing. is_held: it was pressed before, and is still down."""
        if text.lower() not in self._runs:
            return False
        key, run = self._runs[text.lower()]
        if key.repeats or not is_held:
            run()
        return True

    def help(self) -> str:
        """All of them in a line, which may be broken between a key's words, but not behind its name."""
        return " · ".join(f"{key.name}: ".replace(" ", _NO_BREAK) + key.does for key in self._keys)


def printed(shortcut: str) -> str:
    """A shortcut such as 'Ctrl+O' as this system and language write it: 'Strg+O', '\N{PLACE OF INTEREST SIGN}O'."""
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
