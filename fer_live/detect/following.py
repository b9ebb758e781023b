"""Finds faces in some frames and follows them in the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.structs import Faces, Frame
from fer_live.detect.finder import SkippingFinder
from fer_live.detect.flow import motion, moved


@dataclass(frozen=True)
class Schedule:
    """detect_every: frames from one detection to the next. full_look_every: in frames, see MediaPipeFinder.

    full_look_every is a multiple of detect_every, so that from there on nothing depends on earlier frames.
    """

    detect_every: int
    full_look_every: int


# What each costs and changes: docs/following.md.
PRESETS = {"quality": Schedule(1, 10), "balanced": Schedule(5, 10), "fast": Schedule(10, 20)}
STILLS = Schedule(1, 1)

_SCENE_STEP_PX = 16
"""Between the pixels, across and down, that tell whether another scene began."""
_SCENE_CHANGE = 0.25
"""Share of them that must have got another level, of _SCENE_LEVELS, if one did."""
_SCENE_LEVELS = 16


class FollowingFinder(Closing):
    """Has a finder find faces in some frames, and follows them by optical flow in between; itself a FaceFinder.

    The finder is asked in every detect_every-th frame, and besides when a face cannot be followed or gets too small,
    when another scene begins and when the picture's size changes. This depends on the frames alone, never on time.

    finder: is closed with this one. detect_every: in frames. min_face_px: least width and height of a followed box.
    """

    def __init__(self, finder: SkippingFinder, detect_every: int, min_face_px: int = 1) -> None:
        self._finder = finder
        self._detect_every = detect_every
        self._min_face_px = min_face_px
        self._frames_to_detection = 0
        self._image = np.empty((0, 0, 3), np.uint8)
        self._faces = Faces.none()

    def find(self, frame: Frame) -> Faces:
        """The faces of one frame, in the order and with the scores with which they were found."""
        is_due = self._frames_to_detection == 0
        faces = None if is_due else self._follow(frame.image)
        if faces is None:
            faces = self._finder.find(frame)
        else:
            self._finder.skip()
        if is_due:
            self._frames_to_detection = self._detect_every
        self._frames_to_detection -= 1
        self._image, self._faces = frame.image, faces
        return faces

    def _follow(self, image: NDArray[np.uint8]) -> Faces | None:
        """The last frame's faces where they are now, or None if they have to be found anew."""
        if self._image.shape != image.shape or _is_another_scene(self._image, image):
            return None
        motions = []
        for region in self._faces.regions:
            step = motion(self._image, image, region)
            if step is None:
                return None
            motions.append(step)
        if not motions:
            return self._faces
        faces = moved(self._faces, np.stack(motions))
        is_large = (faces.boxes[:, 2:] - faces.boxes[:, :2]).min() >= self._min_face_px
        return faces if is_large else None

    def close(self) -> None:
        """Closes the finder; calling it again does nothing."""
        self._finder.close()


def _is_another_scene(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """A moving camera or face moves levels about; another scene has others."""
    counts, other_counts = _level_counts(before), _level_counts(after)
    return bool(np.abs(counts - other_counts).sum() / 2 > _SCENE_CHANGE * counts.sum())


def _level_counts(image: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Of the green channel, which is most of what grey is."""
    levels = image[::_SCENE_STEP_PX, ::_SCENE_STEP_PX, 1] // (256 // _SCENE_LEVELS)
    return np.bincount(levels.ravel(), minlength=_SCENE_LEVELS)
