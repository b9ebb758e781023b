"""Pictures from files: one, or a folder of them, as unrelated stills or as a sequence in time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.capture.source import Hashes
from fer_live.core.closing import Closing
from fer_live.core.structs import Frame
from fer_live.errors import SourceError
from fer_live.source_names import printable

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


class PictureSource(Closing):
    """The pictures of a file or folder, in the order of their names.

    With a rate they are a sequence: captured_at is index / rate. Without one each stands alone; captured_at then
    only orders them, one a second.
    """

    def __init__(
        self,
        path: Path,
        rate_hz: float | None = None,
        hashes: Hashes | None = None,
        on_unreadable: Callable[[str], None] | None = None,
    ) -> None:
        """hashes: where those of the files may be known. on_unreadable: is told why, in a sentence, a picture of a
        folder is passed over, with a gap in the frames' numbers; without it the first such picture is an error.

        Raises SourceError if there is no picture at the path.
        """
        self._paths = _picture_paths(path)
        self._on_unreadable = on_unreadable if path.is_dir() else None
        self._unreadable = 0
        self._rate_hz = rate_hz or 1.0
        self._hashes = hashes or Hashes()
        self._index = 0
        self.is_stills = rate_hz is None
        self.name = printable(path.stem if path.is_file() else path.resolve().name)
        self.size: int | None = len(self._paths)
        self.files = tuple(printable(picture.name) for picture in self._paths)

    @property
    def identity(self) -> str:
        """See Source.identity; a picture that cannot be read counts by its name alone."""
        digest = hashlib.sha256()
        for picture in self._paths:
            digest.update(os.fsencode(picture.name) + b"\0")
            with suppress(SourceError):
                digest.update(self._hashes.of(picture).encode())
        if not self.is_stills:
            digest.update(f"at {self._rate_hz} Hz".encode())
        return digest.hexdigest()

    def read(self) -> Frame | None:
        """See Source.read; it is an error as well if no picture of a folder can be read."""
        while self._index < len(self._paths):
            index, self._index = self._index, self._index + 1
            try:
                return Frame(read_picture(self._paths[index]), index, index / self._rate_hz)
            except SourceError as error:
                self._pass_over(error)
        return None

    def _pass_over(self, error: SourceError) -> None:
        if self._on_unreadable is None:
            raise error
        self._unreadable += 1
        if self._unreadable == len(self._paths):
            folder = self._paths[0].parent
            raise SourceError(f"No picture of folder '{folder}' can be read.", f"The last: {error}") from error
        # As text: the error itself would keep the bytes of the file.
        self._on_unreadable(str(error))

    def close(self) -> None:
        """See Source.close."""


def _picture_paths(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(f"There is no file or folder '{path}'.", "Check the path.")
    pictures = sorted(entry for entry in path.iterdir() if entry.suffix.lower() in PICTURE_SUFFIXES and entry.is_file())
    if not pictures:
        raise SourceError(
            f"Folder '{path}' holds no pictures.",
            f"Expected files ending in {', '.join(sorted(PICTURE_SUFFIXES))}. Videos are named as {path}/*.mp4.",
        )
    return pictures


def read_picture(path: Path) -> NDArray[np.uint8]:
    """uint8 (H, W, 3) BGR, turned upright by its EXIF orientation; raises SourceError naming the file."""
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise SourceError(f"Picture '{path}' cannot be read ({error.strerror}).", "Check the path.") from error
    image = decode_picture(encoded)
    if image is None:
        what = "is not a picture that can be decoded" if encoded else "is empty (0 bytes)"
        raise SourceError(f"'{path}' {what}.", "Remove it, or save it again as JPEG or PNG.")
    return image


def decode_picture(encoded: bytes) -> NDArray[np.uint8] | None:
    """uint8 (H, W, 3) BGR of an encoded picture, upright, or None if it cannot be decoded.

    Reading the bytes first, unlike cv2.imread, opens non-ASCII paths on Windows too.
    """
    if not encoded:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # more pixels than OpenCV decodes
        return None
    return None if image is None else np.asarray(image, np.uint8)
