from __future__ import annotations

import numpy as np
import pytest

from fer_live.core.affect import affect_axes, project
from fer_live.core.modelcard import FER2013_LABELS
from fer_live.errors import ConfigError


@pytest.mark.parametrize(
    ("label", "valence", "arousal"), [("happy", 0.81, 0.51), ("sad", -0.63, -0.27), ("neutral", 0, 0)]
)
def test_a_sure_label_lies_on_its_coordinates(label: str, valence: float, arousal: float) -> None:
    sure = np.eye(7, dtype=np.float32)[FER2013_LABELS.index(label)]
    assert project(sure, affect_axes(FER2013_LABELS)) == pytest.approx((valence, arousal))


def test_between_labels_it_is_their_weighted_mean() -> None:
    axes = affect_axes(("happy", "angry"))
    assert project(np.array([0.5, 0.5], np.float32), axes) == pytest.approx((0.15, 0.55))


def test_label_without_coordinates_is_named() -> None:
    with pytest.raises(ConfigError, match="'contempt' has no valence"):
        affect_axes((*FER2013_LABELS, "contempt"))
