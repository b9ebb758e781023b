"""What every source of frames offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fer_live.core.closing import Closing
from fer_live.core.modelcard import sha256_of
from fer_live.core.structs import Frame
from fer_live.errors import SourceError


class Source(Closing, Protocol):
    """Frames in order; opened when made, used on one thread at a time.

    name: for the session folder and for people. identity: SHA-256, hexadecimal, of what decides the frames.
    size: number of frames, by its header for a video, or None if it is not known. is_stills: frames are unrelated
    pictures without a time. files: what each frame of stills was read from, else empty.
    """

    name: str
    identity: str
    size: int | None
    is_stills: bool
    files: tuple[str, ...]

    def read(self) -> Frame | None:
        """The next frame, or None at the end; raises SourceError if there should be one but it cannot be read."""
        ...

    def close(self) -> None:
        """Frees the file or device; calling it again does nothing."""
        ...


def identity_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; raises SourceError if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError as error:
        raise SourceError(f"'{path}' cannot be read ({error.strerror}).", "Check its permissions.") from error
