"""What the chain cannot do without: the bare models, having what the chain had them do once more."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import Backend
from fer_live.core.closing import Closing
from fer_live.core.structs import Faces, Frame
from fer_live.detect.blazeface import BlazeFace, BlazeFaceDetector


class Look(NamedTuple):
    """What a detector was shown: a part of the frame, in px, or a picture of its own, uint8 (H, W, 3) BGR."""

    detector: BlazeFaceDetector
    left: int
    top: int
    width: int
    height: int
    picture: NDArray[np.uint8] | None

    def shown(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The same of an equal picture."""
        if self.picture is not None:
            return self.picture
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


class Work(NamedTuple):
    """What the models did in a frame."""

    looks: list[Look]
    runs: list[tuple[Backend, NDArray[np.float32]]]

    def repeat(self, frame: Frame) -> None:
        """Has them do it again, on an equal frame; what comes out is thrown away."""
        for look in self.looks:
            look.detector.detect_bare(look.shown(frame.image))
        for backend, batch in self.runs:
            backend.infer(batch)


class Floor:
    """Watches the models of a chain, so that they can do it again without the chain around them.

    That is MediaPipe's own interface, shown what it must see in its order of colours, and the backend's run of batches.
    """

    def __init__(self) -> None:
        self._work = Work([], [])

    def open_detector(self, model: BlazeFace) -> BlazeFaceDetector:
        """A detector that is watched."""
        return _WatchedDetector(model, self._work.looks)

    def watched(self, backend: Backend) -> Backend:
        """A backend that is watched; it closes the given one."""
        return _WatchedBackend(backend, self._work.runs)

    def take(self) -> Work:
        """What was done since the last time."""
        taken = Work(list(self._work.looks), list(self._work.runs))
        self._work.looks.clear()
        self._work.runs.clear()
        return taken


class _WatchedDetector(BlazeFaceDetector):
    def __init__(self, model: BlazeFace, looks: list[Look]) -> None:
        super().__init__(model)
        self._looks = looks

    def detect(self, part: NDArray[np.uint8], left: int = 0, top: int = 0) -> Faces:
        height, width = part.shape[:2]
        self._looks.append(Look(self, left, top, width, height, part if part.base is None else None))
        return super().detect(part, left, top)


class _WatchedBackend(Closing):
    def __init__(self, backend: Backend, runs: list[tuple[Backend, NDArray[np.float32]]]) -> None:
        self.name, self.device = backend.name, backend.device
        self.card, self.max_batch = backend.card, backend.max_batch
        self.is_thread_safe, self.passed_over = False, backend.passed_over
        self._backend = backend
        self._runs = runs

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self._runs.append((self._backend, batch))
        return self._backend.infer(batch)

    def close(self) -> None:
        self._backend.close()
