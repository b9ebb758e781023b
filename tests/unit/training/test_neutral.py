from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS, load_verified_card
from training.dataset import load_fer2013
from training.neutral import neutral_logits
from training.prediction import predict


def test_it_is_the_mean_logarithm_over_neutral_faces(trained: Any) -> None:
    weights = trained.run / "mobilevit_xxs.onnx"
    rows = load_fer2013(trained.data).split("PublicTest")
    card = load_verified_card(weights)
    seen = predict(weights, card, rows.images[rows.labels == FER2013_LABELS.index("neutral")])
    assert len(seen) == 4
    np.testing.assert_allclose(neutral_logits(weights, rows), np.log(seen).mean(axis=0), rtol=1e-5)


def test_a_new_card_has_it(trained: Any) -> None:
    card = load_verified_card(trained.run / "mobilevit_xxs.onnx")
    rows = load_fer2013(trained.data).split("PublicTest")
    assert card.neutral_logits == pytest.approx(neutral_logits(trained.run / "mobilevit_xxs.onnx", rows))
