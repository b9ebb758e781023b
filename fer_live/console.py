"""The edge between commands and the shell: exit codes and the one place that prints errors."""

from __future__ import annotations

import sys
from collections.abc import Callable

from fer_live.errors import FerError

USER_ERROR = 2
INTERRUPTED = 130


def exit_code(command: Callable[[], None]) -> int:
    """Runs a command: 0, 2 with one sentence on standard error for a FerError, 130 for Ctrl-C."""
    try:
        command()
    except FerError as error:
        # One line, although what other libraries say, and an error quotes, may have several.
        print("error:", " ".join(line.strip() for line in str(error).split("\n") if line.strip()), file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted: what was finished until now is kept", file=sys.stderr)
        return INTERRUPTED
    return 0
