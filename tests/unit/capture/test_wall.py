from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from fer_live.capture.wall import WallSource
from fer_live.detect.mediapipe import MediaPipeFinder


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (480, 640)])
@pytest.mark.parametrize("faces", [0, 1, 2, 6, 16])
def test_all_its_faces_are_found(faces: int, width: int, height: int) -> None:
    frame = WallSource(faces, 1, width, height).read()
    assert frame is not None
    assert frame.image.shape == (height, width, 3)
    with MediaPipeFinder() as finder:
        assert len(finder.find(frame)) == faces


def test_it_moves_is_the_same_each_time_and_ends() -> None:
    first, second = (list(iter(WallSource(2, 20).read, None)) for _ in range(2))
    assert [frame.index for frame in first] == list(range(20))
    assert all(np.array_equal(one.image, other.image) for one, other in zip(first, second, strict=True))
    assert all((one.image != other.image).any() for one, other in pairwise(first))


def test_identity_tells_one_wall_from_another() -> None:
    walls = [WallSource(1, 10), WallSource(2, 10), WallSource(1, 11), WallSource(1, 10, 320, 240)]
    assert len({wall.identity for wall in walls}) == len(walls)
    assert WallSource(1, 10).identity == walls[0].identity
