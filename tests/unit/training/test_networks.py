from __future__ import annotations

import pytest
import torch

from fer_live.errors import ConfigError
from training.networks import NETWORKS, Classifier, build, parameter_count


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_of_one_grey_channel(name: str) -> None:
    with torch.inference_mode():
        assert build(name, 7).eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 7)


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
    with pytest.raises(ConfigError, match=r"'vgg'.*mobilevit_xxs, resnet18"):
        build("vgg", 7)


def test_parameter_count() -> None:
    assert parameter_count(torch.nn.Linear(3, 2)) == 8
