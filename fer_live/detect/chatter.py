"""Silence about the start-up of MediaPipe's C++ side, and about nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2
_ALONE = threading.Lock()
"""Standard error belongs to the process: of two that put it back, the later one would put back the other's file."""
_HARMLESS = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate"
    rb"|WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|W.* inference_feedback_manager\.cc:"
)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Holds back what the C++ side writes to standard error while models load, and then lets all but its three
    known start-up lines through. No setting of MediaPipe silences those."""
    with _ALONE:
        try:
            stderr = os.dup(_STDERR)
        except OSError:  # a windowed application on Windows has none
            yield
            return
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), _STDERR)
            try:
                yield
            finally:
                os.dup2(stderr, _STDERR)
                os.close(stderr)
                held.seek(0)
                for line in held:
                    if not _HARMLESS.match(line):
                        sys.stderr.write(line.decode(errors="replace"))
