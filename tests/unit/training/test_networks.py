from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_live.errors import ConfigError
from training.export import onnx_bytes
from training.half import require_float16
from training.networks import NETWORKS, Classifier, FerNet, HalfClassifier, build, parameter_count
from training.weights import load_weights

PARAMETERS = {
    "fc_tiny": 147_975,
    "fc_basic": 110_983,
    "fc_deep": 452_167,
    "cnn3": 1_306_599,
    "cnn3_group": 1_306_823,
    "cnn3_layer": 1_306_823,
    "cnn3_none": 1_306_375,
    "simple_cnn": 4_720_263,
    "simple_cnn5": 1_232_775,
    "simple_cnn5_bn": 1_232_871,
    "deep_cnn": 1_764_775,
    "deep_cnn_192": 1_174_119,
    "plain_deep_cnn": 1_763_559,
    "attention_cnn": 324_691,
    "enhanced_cnn": 686_247,
    "enhanced_cnn_v2": 686_247,
    "enhanced_cnn_128": 686_823,
    "resnet_fer": 2_807_943,
    "resnet18": 11_171_271,
    "resnet34": 21_279_431,
    "resnet50": 23_513_543,
    "vit": 5_359_879,
    "vit_224": 5_427_463,
    "mobilevit_xxs": 1_070_871,
    "vgg_fer": 40_376_519,
}
"""simple_cnn's is what its source has; the others guard against change."""
DROPPING = {
    "cnn3": [0.25] * 3,
    "simple_cnn5": [0.3],
    "deep_cnn": [0.5],
    "deep_cnn_192": [0.7],
    "attention_cnn": [0.5],
    "enhanced_cnn": [0.25] * 3 + [0.5, 0.3],
    "enhanced_cnn_v2": [0.35] * 3 + [0.6, 0.4],
    "enhanced_cnn_128": [0.25] * 3 + [0.5, 0.3],
    "vgg_fer": [0.2] * 2,
}
EXPORTED_TOGETHER = {
    "without convolutions": ("fc_tiny", "fc_basic", "fc_deep"),
    "plain": ("cnn3", "cnn3_group", "cnn3_layer", "cnn3_none", "simple_cnn", "simple_cnn5", "simple_cnn5_bn"),
    "deep": ("deep_cnn", "deep_cnn_192", "plain_deep_cnn", "attention_cnn", "vgg_fer"),
    "enhanced": ("enhanced_cnn", "enhanced_cnn_v2", "enhanced_cnn_128"),
    "residual": ("resnet_fer", "resnet18", "resnet34", "resnet50"),
    "transformers": ("vit", "vit_224"),
}
"""One export of several takes less than one of each. mobilevit_xxs is exported in test_export."""


def drops(network: FerNet) -> list[float]:
    return [module.p for module in network.modules() if isinstance(module, nn.Dropout) and module.p > 0]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_from_one_grey_channel_to_logits(name: str) -> None:
    torch.manual_seed(0)
    network = build(name, 7).train()
    assert parameter_count(network) == PARAMETERS[name]
    logits = network(torch.rand(2, 1, 48, 48) * 255)
    assert logits.shape == (2, 7)
    loss = F.cross_entropy(logits, torch.tensor([0, 6]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


class Together(nn.Module):
    """Networks side by side, for one export of them all: crops (N, 1, 48, 48) -> probabilities (N, networks * 7)."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(Classifier(build(name, 7), 1.0) for name in names)

    def forward(self, crops: Tensor) -> Tensor:
        return torch.cat([network(crops) for network in self.networks], dim=1)


def test_every_network_is_exported_below() -> None:
    exported = [name for names in EXPORTED_TOGETHER.values() for name in names]
    assert sorted([*exported, "mobilevit_xxs"]) == sorted(NETWORKS)


@pytest.mark.parametrize("names", EXPORTED_TOGETHER.values(), ids=EXPORTED_TOGETHER)
def test_the_exported_graph_takes_any_batch_and_agrees(names: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    together = Together(names).eval()
    session = onnxruntime.InferenceSession(onnx_bytes(together), providers=["CPUExecutionProvider"])
    noise, flat = torch.rand(3, 1, 48, 48) * 255, torch.full((1, 1, 48, 48), 128.0)
    # Without contrast only rounding errors are left, which layers that are not trained let grow a little.
    for crops, tolerance in ((noise[:1], 1e-4), (noise, 1e-4), (flat, 1e-3)):
        with torch.inference_mode():
            expected = together(crops).numpy()
        (given,) = session.run(None, {"crops": crops.numpy()})
        np.testing.assert_allclose(given, expected, atol=tolerance)


@pytest.mark.parametrize("name", ["cnn3_group", "attention_cnn", "enhanced_cnn_128"])
def test_the_exported_float16_graph_has_no_float32_weights(name: str) -> None:
    classifier = Classifier(build(name, 7), 1.0).eval()
    require_float16(onnx_bytes(HalfClassifier(classifier).eval()))


@pytest.mark.parametrize(("name", "own"), DROPPING.items())
def test_dropout_replaces_every_probability_that_there_is(name: str, own: list[float]) -> None:
    assert drops(build(name, 7)) == own
    assert drops(build(name, 7, dropout=0.4)) == [0.4] * len(own)


@pytest.mark.parametrize("name", ["fc_tiny", "simple_cnn", "resnet18", "vit", "mobilevit_xxs"])
def test_dropout_of_a_network_without_any_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' has no dropout"):
        build(name, 7, dropout=0.5)


@pytest.mark.parametrize("name", ["mobilevit_xxs", "resnet18"])
def test_shipped_weights_fit(name: str) -> None:
    load_weights(build(name, 7), name, Path(__file__).parents[3] / "weights" / f"{name}.safetensors")


@pytest.mark.parametrize(("name", "tokens"), [("vit", 64), ("vit_224", 196)])
def test_patches_of_a_face(name: str, tokens: int) -> None:
    sizes = []
    network = build(name, 7).eval()
    patches = next(module for part, module in network.named_modules() if part.endswith("patch_embed"))
    patches.register_forward_hook(lambda module, given, result: sizes.append(result.shape[1]))
    with torch.inference_mode():
        network(torch.zeros(1, 1, 48, 48))
    assert sizes == [tokens]


@pytest.mark.parametrize(("name", "cells"), [("mobilevit_xxs", 6), ("resnet18", 3)])
def test_cells_left_before_pooling(name: str, cells: int) -> None:
    backbone = build(name, 7).backbone
    last = backbone.get_submodule("final_conv" if name == "mobilevit_xxs" else "layer4")
    sizes = []
    last.register_forward_hook(lambda module, given, result: sizes.append(tuple(result.shape[2:])))
    with torch.inference_mode():
        backbone.eval()(torch.zeros(1, 1, 48, 48))
    assert sizes == [(cells, cells)]


def test_exposure_and_gain_hardly_matter() -> None:
    torch.manual_seed(0)
    network = build("resnet18", 7).eval()
    crops = torch.rand(2, 1, 48, 48) * 100
    with torch.inference_mode():
        torch.testing.assert_close(network(crops * 2 + 30), network(crops), rtol=0.02, atol=0.02)


def test_classifier_gives_probabilities_at_its_temperature() -> None:
    torch.manual_seed(0)
    network = build("resnet18", 7).eval()
    crops = torch.rand(3, 1, 48, 48) * 255
    with torch.inference_mode():
        probabilities = Classifier(network, 2.0)(crops)
        torch.testing.assert_close(probabilities, torch.softmax(network(crops) / 2, dim=1))


def test_same_seed_same_weights() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(3)
        weights.append(build("mobilevit_xxs", 7).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_unknown_network_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'vgg'.*mobilevit_xxs, plain_deep_cnn, resnet18"):
        build("vgg", 7)


def test_parameter_count() -> None:
    assert parameter_count(torch.nn.Linear(3, 2)) == 8
