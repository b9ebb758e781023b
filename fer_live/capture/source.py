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

    name: for the session folder and for people. size: number of frames, by its header for a video, or None if it is
    not known. is_stills: frames are unrelated pictures without a time. files: what each frame of stills was read from,
    else empty.
    """

    name: str
    size: int | None
    is_stills: bool
    files: tuple[str, ...]

    @property
    def identity(self) -> str:
        """SHA-256, hexadecimal, of what decides the frames; raises SourceError if a file cannot be read.

        Of a file all of it is read for that, by the first to ask: a video that is only played is not.
        """
        ...

    def read(self) -> Frame | None:
        """The next frame, or None at the end; raises SourceError if there should be one but it cannot be read."""
        ...

    def close(self) -> None:
        """Frees the file or device; calling it again does nothing."""
        ...


class Hashes:
    """SHA-256 of files, each read once as long as its size and the time of its last change stay what they were."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int], str] = {}

    def of(self, path: Path) -> str:
        """In hexadecimal; raises SourceError if the file cannot be read."""
        try:
            found = path.stat()
            key = path, found.st_size, found.st_mtime_ns
            if key not in self._known:
                self._known[key] = sha256_of(path)
        except OSError as error:
            raise SourceError(f"'{path}' cannot be read ({error.strerror}).", "Check its permissions.") from error
        return self._known[key]
