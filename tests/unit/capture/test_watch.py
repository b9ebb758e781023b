from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_live.capture.watch import PATIENCE_S, PictureWatch
from fer_live.core.structs import Frame
from fer_live.errors import SourceError

_RATE_HZ = 30
_GREY = np.full((120, 160, 3), 90, np.uint8)


def _watch(images: list[NDArray[np.uint8]]) -> float:
    """Shows pictures at 30 Hz; returns the time of the last one that was let through."""
    watch = PictureWatch()
    time_s = 0.0
    for number, image in enumerate(images):
        time_s = number / _RATE_HZ
        watch.check(Frame(image, number, 1000 + time_s))
    return time_s


def _noise(level: int, count: int) -> list[NDArray[np.uint8]]:
    """A still scene as a sensor sees it: its noise is one grey level."""
    random = np.random.default_rng(3)
    return [np.clip(random.normal(level, 1, (120, 160, 3)), 0, 255).astype(np.uint8) for _ in range(count)]


def _first_refused(images: list[NDArray[np.uint8]], word: str) -> float:
    """When, in s, the watch lost patience."""
    watch = PictureWatch()
    for number, image in enumerate(images):
        try:
            watch.check(Frame(image, number, 1000 + number / _RATE_HZ))
        except SourceError as error:
            assert word in str(error)
            assert error.hint
            return number / _RATE_HZ
    pytest.fail("the watch noticed nothing")


def test_still_scene_with_noise_is_fine() -> None:
    assert _watch(_noise(90, 90)) > 1.5 * PATIENCE_S


def test_dim_scene_is_fine() -> None:
    assert _watch(_noise(12, 90)) > 1.5 * PATIENCE_S


def test_frozen_picture() -> None:
    assert _first_refused([_GREY] * 90, "frozen") == pytest.approx(PATIENCE_S, abs=1 / _RATE_HZ)


def test_picture_that_freezes_later() -> None:
    moving = _noise(90, 30)
    refused_s = _first_refused([*moving, *[moving[-1]] * 60], "frozen")
    assert refused_s == pytest.approx(29 / _RATE_HZ + PATIENCE_S, abs=1 / _RATE_HZ)


@pytest.mark.parametrize("level", [0, 3])
def test_black_picture(level: int) -> None:
    black = [np.minimum(image, 8) for image in _noise(level, 90)]
    assert _first_refused(black, "black") == pytest.approx(PATIENCE_S, abs=1 / _RATE_HZ)


def test_two_seconds_are_never_passed() -> None:
    assert PATIENCE_S + 2 / _RATE_HZ < 2


def test_short_darkness_is_fine() -> None:
    light, dark = _noise(90, 1)[0], _noise(2, 40)
    assert _watch([light, *dark, light, *dark]) > 0


def test_other_size_is_movement() -> None:
    watch = PictureWatch()
    watch.check(Frame(_GREY, 0, 0.0))
    watch.check(Frame(_GREY[:60], 1, 10.0))


def test_alive_is_a_lit_picture_that_moved() -> None:
    watch = PictureWatch()
    alive = []
    for number, image in enumerate([_GREY, _GREY, _GREY + 1, 0 * _GREY, 0 * _GREY + 1, _GREY]):
        watch.check(Frame(image, number, number / 10))
        alive.append(watch.is_alive)
    assert alive == [False, False, True, False, False, True]
