"""Small real implementations of what FER Live talks to, for tests."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fer_live.backends.backend import check_batch
from fer_live.capture.pictures import read_picture
from fer_live.core.modelcard import FER2013_LABELS, ModelCard
from fer_live.core.structs import Faces, Frame
from fer_live.errors import BackendError, SourceError

Box = tuple[float, float, float, float]


def faces_at(*boxes: Box, score: float = 0.9) -> Faces:
    """Faces with these boxes, xyxy px, each framed by the square around its centre, upright."""
    if not boxes:
        return Faces.none()
    xyxy = np.array(boxes, np.float32)
    sides = (xyxy[:, 2:] - xyxy[:, :2]).mean(axis=1, keepdims=True)
    centres = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    regions = np.concatenate([centres, sides, np.zeros_like(sides)], axis=1)
    return Faces(xyxy, np.full(len(boxes), score, np.float32), np.zeros((len(boxes), 6, 2), np.float32), regions)


class _Closing:
    """`with` closes it."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class ManualClock:
    """A clock in seconds that moves when told to."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class ScriptedFinder(_Closing):
    """Finds the boxes that a script has for each frame index; none after its end."""

    def __init__(self, script: Sequence[Sequence[Box]]) -> None:
        self._script = script

    def find(self, frame: Frame) -> Faces:
        return faces_at(*self._script[frame.index]) if frame.index < len(self._script) else Faces.none()


class TableBackend(_Closing):
    """Looks probabilities up: a crop whose mean is about m gives row m (modulo the number of rows) of a table."""

    name = "table"
    device = "memory"
    is_thread_safe = True
    passed_over: tuple[str, ...] = ()

    def __init__(self, table: NDArray[np.float32] | None = None, max_batch: int = 32) -> None:
        labels = len(FER2013_LABELS)
        self.table = np.full((labels, labels), 0.05, np.float32) + 0.65 * np.eye(labels, dtype=np.float32)
        if table is not None:
            self.table = table
        neutral = tuple(np.log(self.table[FER2013_LABELS.index("neutral")]).tolist()) if table is None else None
        self.card = ModelCard(name="table", labels=FER2013_LABELS, neutral_logits=neutral)
        self.max_batch = max_batch
        self.batch_sizes: list[int] = []

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        check_batch(batch, self.card, self.max_batch)
        if self.is_closed:
            raise BackendError("The backend is closed.")
        self.batch_sizes.append(len(batch))
        rows = batch.mean(axis=(1, 2, 3)).round().astype(int) % len(self.table)
        probabilities: NDArray[np.float32] = self.table[rows]
        return probabilities


class PictureCamera(_Closing):
    """Plays pictures, from arrays uint8 (H, W, 3) BGR or from files, at a fixed rate; a Source."""

    def __init__(
        self, pictures: Sequence[NDArray[np.uint8] | Path], rate_hz: float = 30.0, is_stills: bool = False
    ) -> None:
        self._images = [read_picture(each) if isinstance(each, Path) else each for each in pictures]
        self._rate_hz = rate_hz
        self._index = 0
        self.name = "pictures"
        self.size: int | None = len(self._images)
        self.is_stills = is_stills
        self.files: tuple[str, ...] = ()
        self.identity = hashlib.sha256(b"".join(image.tobytes() for image in self._images)).hexdigest()

    def read(self) -> Frame | None:
        if self._index == len(self._images):
            return None
        frame = Frame(self._images[self._index], self._index, self._index / self._rate_hz)
        self._index += 1
        return frame


_CODE_PX = 8
_CODE_BITS = 16


def coded_picture(code: int, width: int = 160, height: int = 120) -> NDArray[np.uint8]:
    """A lit picture, BGR, that tells its number: black and white squares, lowest bit first, in the top left corner.

    Below them it is chequered, as sharp as a picture can be.
    """
    image = np.full((height, width, 3), 128, np.uint8)
    image[_CODE_PX::2, ::2] = image[_CODE_PX + 1 :: 2, 1::2] = 160
    bits = (code >> np.arange(_CODE_BITS)) & 1
    image[:_CODE_PX, : _CODE_BITS * _CODE_PX] = np.repeat(255 * bits, _CODE_PX)[None, :, None]
    return image


def code_of(image: NDArray[np.uint8]) -> int:
    """The number of a coded picture."""
    bits = image[_CODE_PX // 2, _CODE_PX // 2 : _CODE_BITS * _CODE_PX : _CODE_PX, 0] > 127
    return int((bits << np.arange(_CODE_BITS)).sum())


def left_of(image: NDArray[np.uint8]) -> int:
    """Where, in px from the left, the face of a coded picture begins: it sways by 4 px a picture, from 0 to 20."""
    return 4 * abs(code_of(image) % 10 - 5)


class CodeFinder(_Closing):
    """Finds the one face of a coded picture."""

    def find(self, frame: Frame) -> Faces:
        left = left_of(frame.image)
        return faces_at((left, 40, left + 48, 88))


class Act(StrEnum):
    """What a fake camera does when it is read."""

    LIVE = "live"
    FROZEN = "frozen"
    BLACK = "black"
    SILENT = "silent"
    UNPLUGGED = "unplugged"
    OVER = "over"


class FakeDevice:
    """A camera of coded pictures that does what a test tells it, while other threads read it; opened by open()."""

    def __init__(self, rate_hz: float = 100.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self._rate_hz = rate_hz
        self.clock = clock
        self.act = Act.LIVE
        self.given = 0
        self.cameras: list[FakeCamera] = []
        self._pause = threading.Event()

    def open(self) -> FakeCamera:
        if self.act is Act.UNPLUGGED:
            raise SourceError("The fake camera is unplugged.", "Plug it in.")
        self.cameras.append(FakeCamera(self))
        return self.cameras[-1]

    def picture(self) -> NDArray[np.uint8] | None:
        """The next picture, after one period; None if it is over."""
        self._pause.wait(1 / self._rate_hz)
        while self.act is Act.SILENT:
            self._pause.wait(1 / self._rate_hz)
        if self.act is Act.UNPLUGGED:
            raise SourceError("The fake camera is unplugged.", "Plug it in.")
        if self.act is Act.OVER:
            return None
        if self.act is Act.LIVE:
            self.given += 1
        return np.zeros((120, 160, 3), np.uint8) if self.act is Act.BLACK else coded_picture(self.given)


class FakeCamera(_Closing):
    """A FakeDevice that has been opened; a Source."""

    def __init__(self, device: FakeDevice) -> None:
        self._device = device
        self._index = 0
        self.name = "fake"
        self.identity = ""
        self.size: int | None = None
        self.is_stills = False
        self.files: tuple[str, ...] = ()

    def read(self) -> Frame | None:
        picture = self._device.picture()
        if picture is None:
            return None
        frame = Frame(picture, self._index, self._device.clock())
        self._index += 1
        return frame
