"""The frames that all contenders see: real faces, written once, so that nobody decodes while the time is taken."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.capture.video import VideoSource
from fer_live.capture.wall import WallSource

_FRAMES = 30
_CLIPS = {"grin": ("single_face.mp4", 0), "tears": ("WolfgangLanger_Pexels.mp4", 200)}
"""Clips of one face each: file, and the frame to begin with."""
_GROUP = ("multi_face.jpg", 5)

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """Frames of one size with a known number of faces in each. kind: wall, group, or a clip's name."""

    kind: str
    faces: int
    width: int
    height: int

    @property
    def name(self) -> str:
        """As the user names it."""
        return f"{self.kind}-{self.faces}-{self.width}x{self.height}"

    def write(self, path: Path, media: Path) -> int:
        """Writes the frames one after the other, uint8 (H, W, 3) BGR each, and returns how many they are."""
        count = 0
        with path.open("wb") as file:
            for image in self._images(media):
                file.write(image.tobytes())
                count += 1
        return count

    def _images(self, media: Path) -> Iterator[Image]:
        if self.kind == "wall":
            with WallSource(self.faces, _FRAMES, self.width, self.height) as wall:
                yield from (frame.image for frame in iter(wall.read, None))
        elif self.kind == "group":
            picture = self._fill(np.asarray(cv2.imread(str(media / _GROUP[0])), np.uint8))
            yield from (_swayed(picture, index) for index in range(_FRAMES))
        else:
            file, first = _CLIPS[self.kind]
            with VideoSource(media / file) as clip:
                frames = islice(iter(clip.read, None), first, first + _FRAMES)
                yield from (self._fill(frame.image) for frame in frames)

    def _fill(self, image: Image) -> Image:
        """The middle of a picture, as large as it can be, in this case's size."""
        height, width = image.shape[:2]
        scale = max(self.width / width, self.height / height)
        larger = cv2.resize(image, (math.ceil(width * scale), math.ceil(height * scale)), interpolation=cv2.INTER_AREA)
        top, left = (larger.shape[0] - self.height) // 2, (larger.shape[1] - self.width) // 2
        return np.asarray(larger[top : top + self.height, left : left + self.width], np.uint8)


def _swayed(picture: Image, index: int) -> Image:
    """A picture as a camera sees it that moves by up to 6 px: see WallSource."""
    move = np.array([[1.0, 0, 6 * math.sin(index / 11)], [0, 1.0, 4 * math.sin(index / 7)]])
    height, width = picture.shape[:2]
    return np.asarray(cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


CASES = (
    *(Case("wall", faces, 640, 480) for faces in (1, 4, 16)),
    Case("wall", 1, 1280, 720),
    *(Case(clip, 1, 640, 480) for clip in _CLIPS),
    Case("group", _GROUP[1], 640, 480),
)
