"""Single pictures of a session's video."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.errors import RecordError

if TYPE_CHECKING:
    from av import VideoFrame

_AHEAD_S = 1.0
"""So far ahead it is quicker to read on than to look for the key frame before."""

_STALE_S = 1.0
"""So long a picture stands; after that the camera was away, or the video is torn."""


class Stills(Closing):
    """The pictures of a video by their time; used on one thread."""

    def __init__(self, path: Path) -> None:
        """Raises RecordError if the file is no video or PyAV is not installed."""
        try:
            import av
        except ImportError as error:
            hint = 'Install it with `pip install "fer-live[video]"`; all else works without it.'
            raise RecordError(f"'{path}' is not shown: the package av is not installed.", hint) from error
        try:
            self._file = av.open(str(path))
            self._stream = self._file.streams.video[0]
        except (av.FFmpegError, IndexError, UnicodeDecodeError) as error:
            raise RecordError(f"'{path}' cannot be read as a video ({error}).", "The rows are not affected.") from error
        self._errors = av.FFmpegError
        self._newest: VideoFrame | None = None
        self._next: VideoFrame | None = None
        self._frames = self._file.decode(self._stream)

    def read(self, time_s: float) -> NDArray[np.uint8] | None:
        """The picture that stood at a time of the session, s, as uint8 (H, W, 3) BGR; None where there is none."""
        here = None if self._newest is None else self._newest.time
        if here is None or not here <= time_s <= here + _AHEAD_S:
            self._newest = self._next = None
            try:
                self._file.seek(max(0, round(time_s * 1e6)))
            except self._errors:  # torn before its first picture
                return None
            self._frames = self._file.decode(self._stream)
        while (following := self._peek()) is not None and following.time <= time_s:
            self._newest, self._next = following, None
        if self._newest is None or time_s - self._newest.time > _STALE_S:
            return None
        return self._newest.to_ndarray(format="bgr24").astype(np.uint8, copy=False)

    def _peek(self) -> VideoFrame | None:
        """The picture after the newest; None at the end, which a crash may have torn."""
        if self._next is None:
            with suppress(StopIteration, self._errors):
                self._next = next(self._frames)
        return self._next

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
