"""The picture of a live recording as video.mp4, which opens up to its last second after a crash."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_live.core.blurring import blur_faces
from fer_live.core.structs import Frame, Result, Track
from fer_live.errors import RecordError
from fer_live.record.mp4 import Mp4File, check_packages
from fer_live.record.session import Origin

VIDEO_MP4 = "video.mp4"
_MAX_WIDTH_PX = 640
_QUEUE_SIZE = 16  # frames of 1920x1080 that wait take 100 MB
_POLL_S = 0.1
_STILL_THERE_S = 1.0
"""A face that the finder misses for less than this is blurred where it was last."""
_ENCODING = {"crf": "23", "preset": "ultrafast", "tune": "zerolatency", "threads": "1", "g": "30"}
# A fragment a second, in µs; each can be read without those that come later.
_LAYOUT = {"movflags": "empty_moov+default_base_moof", "frag_duration": "1000000", "flush_packets": "1"}


class CameraVideo:
    """Encodes on a thread of its own behind a short queue, so that it holds neither analysis nor rows.

    Its times are t_mono_s; the first picture is shown from time 0 on. error: why there is no picture any more, or None.
    """

    def __init__(self, origin: Origin, is_blurred: bool) -> None:
        """is_blurred: faces are made unrecognizable."""
        self._origin = origin
        self._is_blurred = is_blurred
        self._queue: queue.Queue[tuple[Frame, Result]] = queue.Queue(_QUEUE_SIZE)
        self._file: Mp4File | None = None
        self._seen: dict[int, tuple[float, NDArray[np.float32]]] = {}
        self._written = self._dropped = 0
        self.error: RecordError | None = None

    @staticmethod
    def check() -> None:
        """Raises RecordError if videos cannot be written here."""
        check_packages("Recording the picture", "av")

    def facts(self) -> dict[str, Any]:
        """What session.json says of the video."""
        counts = {"frames": self._written, "frames_dropped": self._dropped}
        return {"file": VIDEO_MP4, "has_blurred_faces": self._is_blurred, **counts}

    def offer(self, frame: Frame, result: Result) -> None:
        """Hands a frame and its own result over without waiting; one that does not fit is dropped."""
        if frame.index < self._origin.frame_index:
            return
        try:
            if self.error is None:
                self._queue.put_nowait((frame, result))
        except queue.Full:
            self._dropped += 1

    def run(self, path: Path, stop: threading.Event) -> None:
        """Writes until stopped and the queue is empty, or until the disk fails."""
        try:
            while not (stop.is_set() and self._queue.empty()):
                self._write_next(path)
            if self._file is not None:
                self._file.close()
        except RecordError as error:
            self.error = error

    def _write_next(self, path: Path) -> None:
        try:
            frame, result = self._queue.get(timeout=_POLL_S)
        except queue.Empty:
            return
        image = self._blurred(frame, result.tracks) if self._is_blurred else frame.image
        if self._file is None:
            height, width = image.shape[:2]
            scale = min(1.0, _MAX_WIDTH_PX / width)
            self._file = Mp4File(path, round(scale * width), round(scale * height), _ENCODING, _LAYOUT)
            # MP4 begins with its first frame, whatever time that has; so one is there at the session's time 0.
            self._file.write(image, 0.0)
        self._file.write(image, frame.captured_at - self._origin.captured_at)
        self._written += 1

    def _blurred(self, frame: Frame, tracks: Iterable[Track]) -> NDArray[np.uint8]:
        now = frame.captured_at
        self._seen.update((track.face_id, (now, track.box)) for track in tracks)
        self._seen = {face: seen for face, seen in self._seen.items() if now - seen[0] <= _STILL_THERE_S}
        return blur_faces(frame.image, (box for _, box in self._seen.values()))
