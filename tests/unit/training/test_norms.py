from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from training.checkpoint import FILE_NAME, saved_config
from training.config import recipe
from training.dataset import Fer2013
from training.networks import build
from training.norms import settle_norms
from training.weights import load_weights

_CONFIG = recipe("mobilevit_xxs", erasing=0.0, batch_size=4)


def test_statistics_are_those_of_the_faces_shown() -> None:
    flat = np.repeat(np.array([40, 200], np.uint8), 8 * 48 * 48).reshape(16, 48, 48)
    norm = nn.BatchNorm2d(1)
    norm.running_mean.fill_(7.0)
    settle_norms(norm, flat, _CONFIG)
    assert norm.running_mean.item() == pytest.approx(120)
    assert norm.momentum == 0.1


def test_augmentation_is_gentle_and_none_where_the_run_had_none() -> None:
    shown: list[torch.Tensor] = []

    class Watching(nn.BatchNorm2d):
        def forward(self, crops: torch.Tensor) -> torch.Tensor:
            shown.append(crops)
            return super().forward(crops)

    images = np.zeros((4, 48, 48), np.uint8)
    images[:, 20:28, 20:28] = 255
    settle_norms(Watching(1), images, _CONFIG.model_copy(update={"augmentation": False}))
    np.testing.assert_array_equal(shown.pop()[:, 0], images)
    settle_norms(Watching(1), images, _CONFIG)
    middles = shown.pop()[:, 0, 22:26, 22:26]
    assert middles.min() > 250  # with all of the shift, 5.8 px, some would have left it


def test_last_faces_are_no_batch_of_one() -> None:
    norm = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(1))
    settle_norms(norm, np.zeros((9, 48, 48), np.uint8), _CONFIG)


def test_same_seed_gives_the_same_statistics_with_dropout(small_data: Fer2013) -> None:
    images = small_data.split("Training").images
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        network = build("cnn3", 7)
        settle_norms(network, images, recipe("cnn3"))
        states.append(network.state_dict())
    for name, tensor in states[0].items():
        assert torch.equal(tensor, states[1][name]), name


def test_exported_weights_are_settled(trained: Any, small_data: Fer2013) -> None:
    config = saved_config(trained.run)
    assert config is not None
    tensors = load_file(trained.run / FILE_NAME)
    best = {name.removeprefix("best."): tensor for name, tensor in tensors.items() if name.startswith("best.")}
    network, exported = build("mobilevit_xxs", 7), build("mobilevit_xxs", 7)
    network.load_state_dict(best)
    settle_norms(network, small_data.split("Training").images, config)
    load_weights(exported, "mobilevit_xxs", trained.run / "mobilevit_xxs.safetensors")
    means = [name for name in best if name.endswith("running_mean")]
    for name in means:
        np.testing.assert_allclose(exported.state_dict()[name], network.state_dict()[name], atol=1e-3)
    assert any(not np.allclose(exported.state_dict()[name], best[name], atol=1e-3) for name in means)
