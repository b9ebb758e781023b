from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from training.augment import augment, strength_at
from training.config import FitConfig, recipe

STILL = {"rotation_deg": 0.0, "scale_min": 1.0, "scale_max": 1.0, "shift": 0.0, "erasing": 0.0}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def batch() -> torch.Tensor:
    return torch.randint(0, 256, (64, 1, 48, 48), generator=generator()).float()


def test_without_ranges_only_the_flip_is_left(batch: torch.Tensor) -> None:
    result = augment(batch, recipe("mobilevit_xxs", **STILL), generator())
    kept = torch.isclose(result, batch, atol=0.01).all(dim=(1, 2, 3))
    flipped = torch.isclose(result, batch.flip(3), atol=0.01).all(dim=(1, 2, 3))
    assert (kept ^ flipped).all()
    assert 16 < int(flipped.sum()) < 48


def test_shape_dtype_and_range_stay(batch: torch.Tensor, quick: Callable[..., FitConfig]) -> None:
    result = augment(batch, quick(rotation_deg=30.0, shift=0.3, erasing=1.0), generator())
    assert (result.shape, result.dtype) == (batch.shape, torch.float32)
    assert result.min() >= 0 and result.max() <= 255


def test_strength_is_a_share_of_every_range_but_the_flip(batch: torch.Tensor) -> None:
    wide = {"rotation_deg": 20.0, "scale_min": 0.64, "scale_max": 1.44, "shift": 0.2, "erasing": 0.0}
    half = {"rotation_deg": 10.0, "scale_min": 0.8, "scale_max": 1.2, "shift": 0.1, "erasing": 0.0}
    given = augment(batch, recipe("mobilevit_xxs", **wide), generator(), strength=0.5)
    torch.testing.assert_close(given, augment(batch, recipe("mobilevit_xxs", **half), generator()), rtol=0, atol=0.1)
    none = augment(batch, recipe("mobilevit_xxs", **wide | {"erasing": 1.0}), generator(), strength=0.0)
    torch.testing.assert_close(none, augment(batch, recipe("mobilevit_xxs", **STILL), generator()))


def test_strength_grows_to_all_of_it() -> None:
    config = recipe("mobilevit_xxs", epochs=10, easy_share=0.4)
    strengths = [strength_at(epoch, config) for epoch in range(10)]
    assert strengths == pytest.approx([0.25, 0.4375, 0.625, 0.8125, *[1.0] * 6])
    assert strength_at(0, recipe("mobilevit_xxs", easy_share=0.0)) == 1.0


def test_same_generator_same_result(batch: torch.Tensor, quick: Callable[..., FitConfig]) -> None:
    assert torch.equal(augment(batch, quick(), generator()), augment(batch, quick(), generator()))


def test_each_crop_has_its_own_draw(quick: Callable[..., FitConfig]) -> None:
    same = torch.arange(48.0).repeat(32, 1, 48, 1)
    result = augment(same, quick(), generator())
    assert len({tuple(crop.flatten().tolist()) for crop in result}) == 32


def test_shift_is_a_share_of_the_side_and_repeats_the_border() -> None:
    # Columns as brightness: a shift by at most a quarter of 48 px moves the middle by at most 12.
    ramp = torch.arange(48.0).repeat(256, 1, 48, 1)
    result = augment(ramp, recipe("mobilevit_xxs", **(STILL | {"shift": 0.25})), generator())
    moved = (result[:, 0, 24, 23] - 23.5).abs()
    assert 10 < moved.max() <= 12.5
    assert result.min() >= 0 and result.max() <= 47


def test_scale_magnifies() -> None:
    ramp = torch.arange(48.0).repeat(8, 1, 48, 1)
    result = augment(
        ramp, recipe("mobilevit_xxs", **(STILL | {"scale_min": 2.0, "scale_max": 2.0})), generator()
    )
    spread = (result[:, 0, 0, 40] - result[:, 0, 0, 8]).abs()
    torch.testing.assert_close(spread, torch.full((8,), 16.0))


def test_erasing_hides_a_rectangle_of_one_grey() -> None:
    blank = torch.full((64, 1, 48, 48), 300.0)
    result = augment(blank, recipe("mobilevit_xxs", **(STILL | {"erasing": 1.0})), generator())
    for crop in result:
        hidden = crop[crop < 299]
        assert len(set(hidden.tolist())) <= 1
        assert len(hidden) <= 48 * 48 * 0.25
    assert int((result < 299).any(dim=(1, 2, 3)).sum()) > 48
