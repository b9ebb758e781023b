from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fer_live.backends.registry import open_backend
from fer_live.core.modelcard import half_path, load_card, load_verified_card
from fer_live.errors import TrainingError
from tests.media import write_card, write_half, write_network
from training.dataset import load_fer2013
from training.half import TOLERANCE, compare_half, require_float16


@pytest.fixture
def exported(trained: Any) -> Path:
    return half_path(trained.run / "mobilevit_xxs.onnx")


def test_its_weights_are_float16_between_float32_ends(exported: Path) -> None:
    graph = onnx.load(exported).graph
    require_float16(exported.read_bytes())
    kinds = [tensor.data_type for tensor in graph.initializer if np.prod(tensor.dims) > 7]
    assert len(kinds) > 50
    assert set(kinds) <= {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    (given,), (result,) = graph.input, graph.output
    assert [(end.name, end.type.tensor_type.elem_type) for end in (given, result)] == [
        ("crops", onnx.TensorProto.FLOAT),
        ("probabilities", onnx.TensorProto.FLOAT),
    ]
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    assert exported.stat().st_size < 2.2 * load_verified_card(exported).parameters


def test_the_card_lists_it_and_says_how_far_it_is_off(exported: Path, trained: Any) -> None:
    card = load_verified_card(exported)
    assert card == load_verified_card(trained.out / exported.name)
    figures = card.validation["float16"]
    assert figures["n"] == 28
    assert 0 < figures["largest_difference"] <= TOLERANCE
    assert 0.9 <= figures["same_label"] <= 1
    rows = load_fer2013(trained.data).split("PublicTest")
    assert compare_half(trained.run, card, rows) == figures


@pytest.mark.parametrize("count", [1, 3, 32])
def test_it_takes_any_batch(exported: Path, count: int) -> None:
    crops = np.random.default_rng(count).integers(0, 256, (count, 1, 48, 48)).astype(np.float32)
    rows = []
    for name in (exported, exported.with_name("mobilevit_xxs.onnx")):
        with open_backend("onnx-cpu", name) as backend:
            rows.append(backend.infer(crops))
    np.testing.assert_allclose(*rows, atol=TOLERANCE)


def test_a_float32_network_is_refused(exported: Path) -> None:
    exact = exported.with_name("mobilevit_xxs.onnx")
    with pytest.raises(TrainingError, match="weights of other types"):
        require_float16(exact.read_bytes())


def test_one_float32_weight_among_many_is_refused(tmp_path: Path) -> None:
    half = write_half(write_network(tmp_path / "tiny.onnx"))
    require_float16(half.read_bytes())
    model = onnx.load(half)
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(2, np.float32), "left_wide"))
    with pytest.raises(TrainingError, match="other types: left_wide"):
        require_float16(model.SerializeToString())


def test_another_type_at_an_end_is_refused(tmp_path: Path) -> None:
    model = onnx.load(write_half(write_network(tmp_path / "tiny.onnx")))
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    with pytest.raises(TrainingError, match="are not float32"):
        require_float16(model.SerializeToString())


def test_a_network_that_says_something_else_is_refused(tmp_path: Path, trained: Any) -> None:
    weights = write_network(tmp_path / "tiny.onnx")
    write_half(weights)
    rows = load_fer2013(trained.data).split("PublicTest")
    assert compare_half(tmp_path, load_card(tmp_path / "tiny.json"), rows)["same_label"] == 1
    model = onnx.load(weights)
    (slopes,) = model.graph.initializer
    slopes.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(slopes), slopes.name))
    weights.write_bytes(model.SerializeToString())
    write_card(weights)
    with pytest.raises(TrainingError, match="differs from the float32 one"):
        compare_half(tmp_path, load_card(tmp_path / "tiny.json"), rows)
