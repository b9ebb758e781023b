"""Finds faces with MediaPipe's two BlazeFace models.

The short range model finds near faces and strong expressions, the full range one finds groups and far faces; each
alone loses many faces of the other kind, so both look, and what both found counts once. docs/framing.md has the
measurements behind every number here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.geometry import iou, region_box, suppress_overlaps
from fer_live.core.structs import Faces, Frame
from fer_live.detect.blazeface import FULL_RANGE, SHORT_RANGE, BlazeFace, BlazeFaceDetector

_SURE_SCORE = 0.75
"""Candidates below this get a second look from near."""
_NEAR_SIDE = 1.5
"""Side of the square of a second look, as a multiple of the region's."""
_UNSURE_ROLL_MAX = math.radians(60)
"""Candidates that are not sure and tilted by more are no faces."""
_SAME_IOU = 0.3
"""A face found by a second look is the candidate if their regions overlap more."""
_COVERED_MAX = 0.5
"""Faces whose regions cover more of the smaller of the two are one face."""
_STRIDE_MAX = 0.4
"""Largest step between the squares of short range, in sides: a face up to 0.6 of a side is whole in one of them."""

_FIELDS = tuple(field.name for field in fields(Faces))


@dataclass(frozen=True)
class View:
    """One look: a model at an upright part of the picture, in px."""

    model: BlazeFace
    left: int
    top: int
    width: int
    height: int


class MediaPipeFinder(Closing):
    """Finds faces with both models, but looks only where it is needed; a SkippingFinder.

    A full look is the short range model at overlapping squares (it shrinks what it sees to 128 px, so a wide
    picture as a whole would lose faces) and the full range model at the whole picture. Until the next full look
    only those views look that the found faces came from, or the squares if there was nobody. A full look comes at
    every full_look_every-th frame, skipped ones included, and also when fewer faces are found than the time before.
    This depends on the frames alone, never on time, and from each full look that is due, on none of the frames before.

    A face that is not sure gets a second look: its score is then the one that the short range model gives it from
    near, which false finds rarely survive, and none if it is tilted more than heads are.

    min_score: confidence in [0.5, 1] below which a face is dropped. min_face_px: the same for the shorter side of
    its box. full_look_every: in frames; 1 for frames that do not follow one another. open_detector: opens one model.
    Raises BackendError if mediapipe cannot run here, ModelError if a model is missing or damaged.
    """

    def __init__(
        self,
        *,
        min_score: float = 0.55,
        min_face_px: int = 24,
        full_look_every: int = 10,
        open_detector: Callable[[BlazeFace], BlazeFaceDetector] = BlazeFaceDetector,
    ) -> None:
        self._min_score = min_score
        self._min_face_px = min_face_px
        self._full_look_every = full_look_every
        self._due: frozenset[View] = frozenset()
        self._frames_to_full_look = 0
        self._last_count = 0
        with ExitStack() as opened:
            self._detectors = {
                model: opened.enter_context(open_detector(model)) for model in (SHORT_RANGE, FULL_RANGE)
            }
            self._opened = opened.pop_all()

    def find(self, frame: Frame) -> Faces:
        """The faces of one frame, largest score first; boxes may reach over the frame's border."""
        if self._frames_to_full_look <= 0:
            self._frames_to_full_look, self._due, self._last_count = self._full_look_every, frozenset(), 0
        self.skip()
        if min(frame.image.shape[:2]) < self._min_face_px:
            return Faces.none()
        near, far = _views(*frame.image.shape[:2])
        views = near | far
        # Views of another picture size are not among this picture's.
        due = self._due if self._due and self._due <= views else views
        faces, seen_from = self._look(due, frame.image)
        if len(faces) < self._last_count and due != views:
            due = views
            faces, seen_from = self._look(due, frame.image)
        if due == views:
            self._due = frozenset(seen_from) or near
        self._last_count = len(faces)
        return faces

    def skip(self) -> None:
        """A frame passed that nobody looked at; it counts toward the next full look."""
        self._frames_to_full_look -= 1

    def _look(self, views: frozenset[View], image: NDArray[np.uint8]) -> tuple[Faces, list[View]]:
        """The faces seen from these views, and the view from which each was seen best."""
        order = sorted(views, key=lambda view: (view.model.file, view.left, view.top))
        looks = [self._look_from(view, image) for view in order]
        faces = looks[0] if len(looks) == 1 else _joined(looks)
        origins = [view for view, look in zip(order, looks, strict=True) for _ in range(len(look))]
        boxes = [region_box(region) for region in faces.regions.tolist()]
        kept = suppress_overlaps(boxes, faces.scores.tolist(), _COVERED_MAX)
        faces = self._look_again(faces.take(kept), image)
        scores = faces.scores.tolist()
        sure = (row for row, score in enumerate(scores) if score >= self._min_score)
        best_first = sorted(sure, key=lambda row: -scores[row])
        return faces.take(best_first), [origins[kept[row]] for row in best_first]

    def _look_from(self, view: View, image: NDArray[np.uint8]) -> Faces:
        part = image[view.top : view.top + view.height, view.left : view.left + view.width]
        faces = self._detectors[view.model].detect(part, view.left, view.top)
        boxes = enumerate(faces.boxes.tolist())
        large = [row for row, (x0, y0, x1, y1) in boxes if min(x1 - x0, y1 - y0) >= self._min_face_px]
        return faces.take(large)

    def _look_again(self, faces: Faces, image: NDArray[np.uint8]) -> Faces:
        """The same faces; those that were not sure with the score of a second look."""
        scores, regions = faces.scores.tolist(), faces.regions.tolist()
        if min(scores, default=_SURE_SCORE) >= _SURE_SCORE:
            return faces
        again = [
            score if score >= _SURE_SCORE else self._score_from_near(region, image)
            for score, region in zip(scores, regions, strict=True)
        ]
        return replace(faces, scores=np.array(again, np.float32))

    def _score_from_near(self, region: Sequence[float], image: NDArray[np.uint8]) -> float:
        x, y, side, roll = region
        if abs(roll) > _UNSURE_ROLL_MAX:
            return 0.0
        near = max(1, round(side * _NEAR_SIDE))
        # Beyond the picture this repeats its border.
        part = np.asarray(cv2.getRectSubPix(image, (near, near), (x, y)), np.uint8)
        faces = self._detectors[SHORT_RANGE].detect(part, round(x - near / 2), round(y - near / 2))
        found = zip(faces.scores.tolist(), faces.regions.tolist(), strict=True)
        same = (score for score, other in found if iou(region_box(other), region_box(region)) > _SAME_IOU)
        return max(same, default=0.0)

    def close(self) -> None:
        """Frees the models; calling it again does nothing."""
        self._opened.close()


def _joined(looks: list[Faces]) -> Faces:
    return Faces(*(np.concatenate([getattr(look, name) for look in looks]) for name in _FIELDS))


@lru_cache(maxsize=8)
def _views(height: int, width: int) -> tuple[frozenset[View], frozenset[View]]:
    """The views of short and of full range that make a full look at a picture of this size."""
    side = min(height, width)
    spare = max(height, width) - side
    steps = math.ceil(spare / (side * _STRIDE_MAX))
    offsets = [spare * step // max(steps, 1) for step in range(steps + 1)]
    corners = [(offset, 0) if width > height else (0, offset) for offset in offsets]
    squares = (View(SHORT_RANGE, left, top, side, side) for left, top in corners)
    return frozenset(squares), frozenset([View(FULL_RANGE, 0, 0, width, height)])
