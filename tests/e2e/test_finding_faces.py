"""The face finder with its own schedule and defaults on real clips and photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from fer_live.core.structs import Frame
from fer_live.detect.mediapipe import MediaPipeFinder


def frames(path: Path) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(path))
    index = 0
    while True:
        is_read, image = video.read()
        if not is_read:
            break
        yield Frame(image, index, 0.0)
        index += 1
    video.release()


@pytest.mark.parametrize(
    ("name", "length", "faces"),
    [("single_face.mp4", 72, 1), ("WolfgangLanger_Pexels.mp4", 472, 1), ("no_face.mp4", 95, 0)],
    ids=["a grin", "tears, smiles and hands on the face", "a cartoon title"],
)
def test_every_frame_of_a_clip_has_its_faces(media: Path, name: str, length: int, faces: int) -> None:
    with MediaPipeFinder() as finder:
        counts = [len(finder.find(frame)) for frame in frames(media / name)]
    assert counts == [faces] * length


@pytest.mark.parametrize(
    ("name", "faces"),
    [("multi_face.jpg", 5), ("45-m7-di-ph.jpg", 1), ("free-mountain-vector-01.jpg", 0)],
    ids=["a group", "a half profile", "a drawn mountain"],
)
def test_photographs(media: Path, name: str, faces: int) -> None:
    with MediaPipeFinder(full_look_every=1) as finder:
        assert len(finder.find(Frame(cv2.imread(str(media / name)), 0, 0.0))) == faces
