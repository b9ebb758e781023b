from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_live.core.modelcard import FER2013_LABELS, load_verified_card
from training.dataset import load_fer2013
from training.neutral import main, neutral_logits
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


def test_an_older_card_gets_it_and_nothing_else(trained: Any, tmp_path: Path) -> None:
    for suffix in (".onnx", ".safetensors", ".json"):
        shutil.copy(trained.run / f"mobilevit_xxs{suffix}", tmp_path)
    weights = tmp_path / "mobilevit_xxs.onnx"
    card = load_verified_card(weights)
    older = card.model_copy(update={"neutral_logits": None})
    weights.with_suffix(".json").write_text(older.model_dump_json())
    assert main(["--weights", str(weights), "--data", str(trained.data)]) == 0
    assert load_verified_card(weights).model_dump() == card.model_dump()


def test_bad_input_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--weights", str(tmp_path / "none.onnx"), "--data", str(tmp_path)]) == 2
    assert "Traceback" not in capsys.readouterr().err
