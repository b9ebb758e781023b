"""The records that flow through the chain. Shapes are checked where a record is made; arrays are read-only.

N is the number of faces and the leading axis everywhere; K is the number of labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_live.core.labels import UNCERTAIN

_UINT8, _FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)


def _frozen(array: NDArray, dtype: np.dtype, shape: tuple[int | None, ...], name: str) -> NDArray:  # type: ignore[type-arg]
    # Some thirty times a frame: the usual case is one comparison.
    if array.dtype != dtype or (array.shape != shape and not _fits(array.shape, shape)):
        raise ValueError(f"{name} must be {dtype} {shape}, got {array.dtype} {array.shape}")
    if not array.flags.writeable:
        return array
    view = array.view()
    view.setflags(write=False)
    return view


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(want in (None, have) for have, want in zip(shape, wanted, strict=True))


@dataclass(frozen=True)
class Frame:
    """One captured picture.

    image: uint8 (H, W, 3) BGR, read-only. index: number of captured frames before it.
    captured_at: seconds on the source's clock: time.perf_counter() for a camera, media time from 0 for a file. Not
    time.monotonic(), the same clock elsewhere, which on Windows moves in steps of 15.6 ms before Python 3.13.
    """

    image: NDArray[np.uint8]
    index: int
    captured_at: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", _frozen(self.image, _UINT8, (None, None, 3), "image"))


@dataclass(frozen=True)
class Faces:
    """What a face finder found in one frame.

    boxes: float32 (N, 4) xyxy, px, as found. scores: float32 (N,) in [0, 1], the finder's confidence.
    keypoints: float32 (N, 6, 2) px: right eye, left eye, nose tip, mouth, right ear, left ear (BlazeFace's order;
    right is the person's right). regions: float32 (N, 4) centre x, centre y, side (px) and roll (rad, clockwise
    on the picture) of the square that is framed like the training faces.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    regions: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.boxes)
        for name, shape in (
            ("boxes", (count, 4)),
            ("scores", (count,)),
            ("keypoints", (count, 6, 2)),
            ("regions", (count, 4)),
        ):
            object.__setattr__(self, name, _frozen(getattr(self, name), _FLOAT32, shape, name))

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, rows: list[int]) -> Faces:
        """The faces at these rows, in this order."""
        if rows == list(range(len(self))):
            return self
        index = np.array(rows, np.intp)
        return Faces(self.boxes[index], self.scores[index], self.keypoints[index], self.regions[index])

    @classmethod
    def none(cls) -> Faces:
        """No face."""
        return cls(*(np.empty((0, *rest), np.float32) for rest in ((4,), (), (6, 2), (4,))))


class Affect(NamedTuple):
    """Where a face lies on the two axes of affect, each in [-1, 1]: fer_live.core.affect says how."""

    valence: float
    arousal: float


@dataclass(frozen=True)
class Track:
    """One person over time, as of one frame.

    face_id: counts from 1 within a session. box: float32 (4,) xyxy, px, as found in this frame.
    score: the finder's confidence. probabilities: float32 (K,), of this frame alone. smoothed: float32 (K,),
    smoothed over time. label_index: the label shown, with hysteresis, or None while uncertain.
    hits: frames it was found in. age_s: seconds since it was first found.
    reason: why this frame's quality is too low to count (fer_live.core.quality), or "" if it is good; a frame that
    is too low does not enter smoothed. affect: of smoothed, or None while that is switched off or the frame does not
    count.
    """

    face_id: int
    box: NDArray[np.float32]
    score: float
    probabilities: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    label_index: int | None
    hits: int
    age_s: float
    reason: str = ""
    affect: Affect | None = None

    def __post_init__(self) -> None:
        labels = len(self.probabilities)
        object.__setattr__(self, "box", _frozen(self.box, _FLOAT32, (4,), "box"))
        for name in ("probabilities", "smoothed"):
            object.__setattr__(self, name, _frozen(getattr(self, name), _FLOAT32, (labels,), name))

    def shown_label(self, labels: Sequence[str]) -> str:
        """The label shown, of labels in the order of the probabilities, or UNCERTAIN."""
        return UNCERTAIN if self.label_index is None else labels[self.label_index]

    @property
    def confidence(self) -> float:
        """Smoothed probability of the label shown; the largest one while uncertain."""
        return float(self.smoothed.max() if self.label_index is None else self.smoothed[self.label_index])

    @property
    def left_top_width_height(self) -> tuple[float, float, float, float]:
        """The box, px."""
        left, top, right, bottom = self.box.tolist()
        return left, top, right - left, bottom - top


@dataclass(frozen=True)
class Result:
    """What was analysed in one frame; no pixels inside.

    finished_at: seconds on the clock of captured_at. timings_ms: milliseconds by stage.
    """

    frame_index: int
    captured_at: float
    finished_at: float
    tracks: tuple[Track, ...]
    timings_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


MarkerOrigin = Literal["key", "text", "lsl", "osc", "websocket"]
"""How a marker came in."""


@dataclass(frozen=True)
class Marker:
    """Something that happened during a session, as a person or another program named it.

    at: s on the clock of Frame.captured_at. origin: how it came in. frame_index: of the frame that was the newest then,
    if that is known.
    """

    at: float
    name: str
    origin: MarkerOrigin
    frame_index: int | None = None
