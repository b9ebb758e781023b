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
    """What a detector was shown: uint8 (H, W, 3) BGR, and its corner in the frame, px."""

    detector: BlazeFaceDetector
    part: NDArray[np.uint8]
    left: int
    top: int

    def part_of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The same part of another picture, or what was shown, if that is a picture of its own."""
        if self.part.base is None:
            return self.part
        height, width = self.part.shape[:2]
        return image[self.top : self.top + height, self.left : self.left + width]


class Floor:
    """Watches the models of a chain, and has them do it again without the chain around them.

    That is MediaPipe's own interface, shown what it must see in its order of colours, and the backend's run of batches.
    """

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._runs: list[tuple[Backend, NDArray[np.float32]]] = []

    def open_detector(self, model: BlazeFace) -> BlazeFaceDetector:
        """A detector that is watched."""
        return _WatchedDetector(model, self._looks)

    def watched(self, backend: Backend) -> Backend:
        """A backend that is watched; it closes the given one."""
        return _WatchedBackend(backend, self._runs)

    @property
    def has_looked(self) -> bool:
        """Whether a detector looked since clear; in other frames faces were followed, for which there is no floor."""
        return bool(self._looks)

    def clear(self) -> None:
        """Forgets what was done, before the next frame."""
        self._looks.clear()
        self._runs.clear()

    def repeat(self, frame: Frame) -> None:
        """What was done since clear, on the same frame; what comes out is thrown away."""
        for look in self._looks:
            look.detector.detect_bare(look.part_of(frame.image))
        for backend, batch in self._runs:
            backend.infer(batch)


class _WatchedDetector(BlazeFaceDetector):
    def __init__(self, model: BlazeFace, looks: list[Look]) -> None:
        super().__init__(model)
        self._looks = looks

    def detect(self, part: NDArray[np.uint8], left: int = 0, top: int = 0) -> Faces:
        self._looks.append(Look(self, part, left, top))
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
