"""The edge between commands and the shell: exit codes, and what all of them say on standard error."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fer_live.config import Config
from fer_live.errors import FerError

if TYPE_CHECKING:
    from fer_live.backends.backend import Backend

USER_ERROR = 2
INTERRUPTED = 130
NOBODY_READS = 141


def print_what_can_be() -> None:
    """From now on names with characters that the shell's encoding lacks are printed with escapes; else they raise."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def exit_code(command: Callable[[], None]) -> int:
    """Runs a command: 0, 2 with one sentence on standard error for a FerError, 130 for Ctrl-C.

    141, as of a program that SIGPIPE ends, if whoever reads the output has left, such as `head`.
    """
    try:
        command()
        print(end="", flush=True)
    except FerError as error:
        _tell(f"error: {_one_line(str(error))}")
        return USER_ERROR
    except KeyboardInterrupt:
        _tell("interrupted: what was finished until now is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # Python would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS
    return 0


def expanded(names: Iterable[str]) -> list[str]:
    """Names, with patterns such as *.mp4 as the files that they stand for, sorted: Windows' shells leave that to us.

    One that stands for nothing stays, to be complained of.
    """
    return [
        name
        for pattern in names
        for name in ([pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern)) or [pattern])
    ]


def tell_choice(config: Config, backend: Backend) -> None:
    """Says which backend `auto` took and why none that it prefers; of one that was asked for by name, nothing."""
    if config.backend == "auto":
        _tell(f"backend: {backend.name} ({_one_line('; '.join(('auto', *backend.passed_over)))})")


def _tell(line: str) -> None:
    """Prints a line on standard error, above a progress bar that is being shown, which would else be drawn over it."""
    # Not before, since no command is to wait for what it does not use.
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def _one_line(text: str) -> str:
    """One line, although what other libraries say, and an error quotes, may have several."""
    return " ".join(line.strip() for line in text.split("\n") if line.strip())
