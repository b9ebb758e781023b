from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from fer_live.core.modelcard import FER2013_LABELS, load_verified_card
from fer_live.errors import TrainingError
from training.checkpoint import saved_config
from training.dataset import Fer2013, load_fer2013
from training.export import check_parity
from training.networks import Classifier, build, parameter_count
from training.weights import load_weights


@pytest.fixture
def onnx_path(trained: Any) -> Path:
    return trained.run / "mobilevit_xxs.onnx"


def test_graph_is_one_clean_file_with_a_dynamic_batch(onnx_path: Path) -> None:
    model = onnx.load(onnx_path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    (given,), (result,) = model.graph.input, model.graph.output
    assert (given.name, result.name) == ("crops", "probabilities")
    shapes = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (given, result)]
    assert shapes == [["batch", 1, 48, 48], ["batch", 7]]
    assert all(not tensor.external_data for tensor in model.graph.initializer)
    assert str(Path(__file__).parents[3]).encode() not in onnx_path.read_bytes()


@pytest.mark.parametrize("count", [1, 3, 32])
def test_graph_agrees_with_torch(onnx_path: Path, small_data: Fer2013, count: int) -> None:
    card = load_verified_card(onnx_path)
    network = build("mobilevit_xxs", 7)
    load_weights(network, "mobilevit_xxs", onnx_path.with_suffix(".safetensors"))
    crops = small_data.split("Training").images[:count, None].astype(np.float32)
    with torch.inference_mode():
        expected = Classifier(network, card.temperature).eval()(torch.from_numpy(crops)).numpy()
    session = onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])
    (given,) = session.run(["probabilities"], {"crops": crops})
    np.testing.assert_allclose(given, expected, atol=1e-4)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-5)


def test_parity_check_refuses_another_network(onnx_path: Path, small_data: Fer2013) -> None:
    faces = small_data.split("Training").images
    network = build("mobilevit_xxs", 7)
    load_weights(network, "mobilevit_xxs", onnx_path.with_suffix(".safetensors"))
    classifier = Classifier(network, load_verified_card(onnx_path).temperature).eval()
    assert check_parity(classifier, onnx_path.read_bytes(), faces) <= 1e-4
    with pytest.raises(TrainingError, match="differs from torch"):
        check_parity(Classifier(network, 9.0).eval(), onnx_path.read_bytes(), faces)


def test_card_says_what_was_made_and_how(trained: Any) -> None:
    card = load_verified_card(trained.run / "mobilevit_xxs.onnx")
    assert load_verified_card(trained.run / "mobilevit_xxs.safetensors") == card
    data = load_fer2013(trained.data)
    assert card.labels == FER2013_LABELS
    assert card.parameters == parameter_count(build("mobilevit_xxs", 7))
    assert card.data["digest"] == data.digest()
    assert card.data["rows"] == {"Training": 56, "PublicTest": 28, "PrivateTest": 14}
    assert card.data["validation"] == "PublicTest"
    config = saved_config(trained.run)
    assert config is not None and card.training["config"] == config.model_dump()
    assert (card.training["epochs_done"], card.training["best_epoch"]) == (1, 1)
    assert card.training["versions"]["torch"] == torch.__version__
    assert card.test is None
    assert card.intended_use and "FER2013" in card.limits


def test_card_holds_the_validation_of_the_onnx_file(trained: Any) -> None:
    validation = load_verified_card(trained.run / "mobilevit_xxs.onnx").validation
    assert (validation["model"], validation["usage"], validation["n"]) == ("mobilevit_xxs", "PublicTest", 28)
    assert validation["without_training_duplicates"]["n"] == 27
    assert set(validation["per_class_recall"]) == set(FER2013_LABELS)
    assert [half["n"] for half in validation["calibration"]["halves"]] == [14, 14]
    assert (
        0 <= validation["accuracy_ci95"][0] <= validation["accuracy"] <= validation["accuracy_ci95"][1] <= 1
    )
