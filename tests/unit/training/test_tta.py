from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.core.modelcard import load_card
from training.prediction import predict
from training.tta import VIEWS

MakeFaces = Callable[[int, int], tuple[NDArray[np.uint8], NDArray[np.int64]]]


@pytest.fixture
def ramp() -> NDArray[np.uint8]:
    """One face whose grey is 4 times the column plus the row."""
    row, column = np.mgrid[:48, :48]
    return (4 * column + row).astype(np.uint8)[np.newaxis]


@pytest.mark.parametrize(("tta", "count"), [("none", 1), ("flip", 2), ("tencrop", 10)])
def test_each_view_has_the_shape_of_the_faces(faces: MakeFaces, tta: str, count: int) -> None:
    images = faces(1, 0)[0]
    views = VIEWS[tta](images)
    assert len(views) == count
    assert all(view.shape == images.shape and view.dtype == np.uint8 for view in views)


def test_flip_is_the_face_and_its_mirror_image(faces: MakeFaces) -> None:
    images = faces(1, 0)[0]
    plain, mirrored = VIEWS["flip"](images)
    assert np.array_equal(plain, images)
    assert np.array_equal(mirrored[:, :, ::-1], images)


def test_ten_crops_are_corners_and_centre_of_40_px(ramp: NDArray[np.uint8]) -> None:
    views = VIEWS["tencrop"](ramp)
    # 48 samples over 40 px: sample u lies 5/6 u - 1/12 px into the crop, so the middle four around 19.5.
    middles = [float(view[0, 23:25, 23:25].mean()) for view in views[::2]]
    corners = [(0, 0), (8, 0), (0, 8), (8, 8), (4, 4)]
    expected = [4 * (left + 19.5) + top + 19.5 for left, top in corners]
    assert middles == pytest.approx(expected, abs=0.6)
    for plain, mirrored in zip(views[::2], views[1::2], strict=True):
        assert np.array_equal(plain, mirrored[:, :, ::-1])


def test_probabilities_are_the_mean_over_the_views(trained: Any, faces: MakeFaces) -> None:
    weights = trained.out / "mobilevit_xxs.safetensors"
    card, images = load_card(weights.with_suffix(".json")), faces(1, 3)[0]
    alone = [predict(weights, card, view) for view in VIEWS["flip"](images)]
    together = predict(weights, card, images, "flip")
    np.testing.assert_allclose(together, np.mean(alone, axis=0), atol=1e-6)
    assert not np.allclose(together, alone[0], atol=1e-6)
