from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_live.errors import ModelError, TrainingError
from training.networks import build
from training.weights import load_weights, weights_bytes


def test_round_trip(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original, other = build("mobilevit_xxs", 7), build("mobilevit_xxs", 7)
    path = tmp_path / "mobilevit_xxs.safetensors"
    path.write_bytes(weights_bytes(original, "mobilevit_xxs"))
    load_weights(other, "mobilevit_xxs", path)
    for name, tensor in original.state_dict().items():
        is_matrix = tensor.is_floating_point() and tensor.ndim > 1
        expected = tensor.half().float() if is_matrix else tensor
        assert torch.equal(other.state_dict()[name], expected), name
    again = tmp_path / "again.safetensors"
    again.write_bytes(weights_bytes(other, "mobilevit_xxs"))
    assert again.read_bytes() == path.read_bytes()
    assert path.stat().st_size < 0.6 * sum(each.nbytes for each in original.state_dict().values())


def test_weights_of_another_network_name_both(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(weights_bytes(build("resnet18", 7), "resnet18"))
    with pytest.raises(
        TrainingError, match=r"some\.safetensors' holds resnet18 and does not fit mobilevit_xxs"
    ):
        load_weights(build("mobilevit_xxs", 7), "mobilevit_xxs", path)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    network, path = build("mobilevit_xxs", 7), tmp_path / "w.safetensors"
    with pytest.raises(TrainingError, match="no weights at"):
        load_weights(network, "mobilevit_xxs", path)
    path.write_bytes(b"\x80\x04 a pickle, for example")
    with pytest.raises(TrainingError, match=r"not a \.safetensors file"):
        load_weights(network, "mobilevit_xxs", path)


def test_weights_that_disagree_with_their_card_are_refused(tmp_path: Path, trained: Any) -> None:
    shutil.copytree(trained.out, tmp_path / "out")
    path = tmp_path / "out" / "mobilevit_xxs.safetensors"
    network = build("mobilevit_xxs", 7)
    load_weights(network, "mobilevit_xxs", path)
    path.write_bytes(weights_bytes(build("mobilevit_xxs", 7), "mobilevit_xxs"))
    with pytest.raises(ModelError, match="differ from the SHA-256"):
        load_weights(network, "mobilevit_xxs", path)
