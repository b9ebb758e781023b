from __future__ import annotations

import math

import numpy as np
import pytest

from fer_live.core import preprocess
from fer_live.core.modelcard import InputSpec
from fer_live.core.preprocess import crop_faces, to_batch

SPEC = InputSpec()


def _noise(height: int = 120, width: int = 160) -> np.ndarray:
    """Grey noise in BGR: every channel the same, so that the grey value of a pixel is known."""
    grey = np.random.default_rng(3).integers(0, 256, (height, width), dtype=np.uint8)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


def _regions(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_upright_square_of_48_px_is_cut_exactly() -> None:
    image = _noise()
    (crop,) = crop_faces(image, _regions((50 + 24, 30 + 24, 48, 0)), SPEC)
    np.testing.assert_array_equal(crop, image[30:78, 50:98, 0])


def test_down_scaling_averages_areas() -> None:
    image = _noise(96, 96)
    (crop,) = crop_faces(image, _regions((48, 48, 96, 0)), SPEC)
    means = image[:, :, 0].reshape(48, 2, 48, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(crop, means, atol=0.51)


def test_fine_stripes_do_not_alias() -> None:
    image = np.zeros((480, 480, 3), np.uint8)
    image[:, ::2] = 200
    (crop,) = crop_faces(image, _regions((240, 240, 480, 0)), SPEC)
    np.testing.assert_allclose(crop, 100, atol=2)


def test_up_scaling_is_smooth() -> None:
    image = np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[np.newaxis, :, np.newaxis], 24, axis=0).repeat(3, axis=2)
    (crop,) = crop_faces(image, _regions((12, 12, 24, 0)), SPEC)
    steps = np.diff(crop[24].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 6


@pytest.mark.parametrize(("quarter_turns", "roll"), [(1, math.pi / 2), (2, math.pi), (3, -math.pi / 2)])
def test_roll_is_clockwise_on_the_picture(quarter_turns: int, roll: float) -> None:
    """A head that leans clockwise by roll comes out upright."""
    upright = _noise(48, 48)
    leaning = np.ascontiguousarray(np.rot90(upright, -quarter_turns))
    (crop,) = crop_faces(leaning, _regions((24, 24, 48, roll)), SPEC)
    np.testing.assert_allclose(crop.astype(int), upright[:, :, 0], atol=1)


def test_outside_the_picture_its_border_is_repeated() -> None:
    image = _noise()
    (crop,) = crop_faces(image, _regions((0, 60, 48, 0)), SPEC)
    np.testing.assert_array_equal(crop[:, :24], np.repeat(image[36:84, :1, 0], 24, axis=1))
    np.testing.assert_array_equal(crop[:, 24:], image[36:84, :24, 0])


def test_far_outside_is_the_nearest_corner() -> None:
    image = _noise()
    (crop,) = crop_faces(image, _regions((-500, -500, 100, 0.3)), SPEC)
    assert (crop == image[0, 0, 0]).all()


def test_grey_weighs_blue_green_and_red() -> None:
    image = np.zeros((48, 144, 3), np.uint8)
    for channel in range(3):
        image[:, 48 * channel : 48 * (channel + 1), channel] = 255
    crops = crop_faces(image, _regions((24, 24, 48, 0), (72, 24, 48, 0), (120, 24, 48, 0)), SPEC)
    # ITU-R BT.601 luma
    np.testing.assert_allclose(crops[:, 24, 24], [0.114 * 255, 0.587 * 255, 0.299 * 255], atol=1)


def test_no_faces_give_no_crops() -> None:
    crops = crop_faces(_noise(), _regions(), SPEC)
    assert crops.shape == (0, 48, 48)
    assert to_batch(crops, SPEC).shape == (0, 1, 48, 48)


def test_crops_have_the_size_of_the_card() -> None:
    crops = crop_faces(_noise(), _regions((40, 40, 30, 0), (80, 60, 77, 1)), InputSpec(height=64, width=64))
    assert crops.shape == (2, 64, 64)
    assert crops.dtype == np.uint8


def test_batch_is_contiguous_float32_of_the_same_values() -> None:
    crops = _noise(48, 48)[np.newaxis, :, :, 0]
    batch = to_batch(crops, SPEC)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    np.testing.assert_array_equal(batch[0, 0], crops[0])


@pytest.mark.parametrize(
    "crops",
    [np.zeros((1, 48, 48), np.float32), np.zeros((1, 47, 48), np.uint8), np.zeros((48, 48), np.uint8)],
    ids=["float", "low", "one crop alone"],
)
def test_other_crops_are_refused(crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match="crops must be uint8"):
        to_batch(crops, SPEC)


def test_what_is_seen_does_not_depend_on_how_much_is_made_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is near a region is made grey; all of the picture gives the same crop, bit for bit."""
    random = np.random.default_rng(5)
    image = random.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    regions = random.uniform((-200, -150, 1, -math.pi), (360, 270, 400, math.pi), (500, 4)).astype(np.float32)
    near = crop_faces(image, regions, SPEC)
    monkeypatch.setattr(preprocess, "_MARGIN_PX", 1000.0)
    np.testing.assert_array_equal(crop_faces(image, regions, SPEC), near)
