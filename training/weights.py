"""Weights of a plain network as a .safetensors file; no other format is read or written."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from fer_live.core.modelcard import card_path, load_verified_card
from fer_live.errors import TrainingError
from training.networks import FerNet


def as_stored(network: FerNet) -> dict[str, Tensor]:
    """The state of a network as files keep it: matrices in float16, vectors, such as norms' statistics, as they are.

    How little that changes: docs/decisions/0020.
    """
    state = network.state_dict()
    return {
        name: (tensor.half() if tensor.is_floating_point() and tensor.ndim > 1 else tensor).contiguous()
        for name, tensor in state.items()
    }


def weights_bytes(network: FerNet, model: str) -> bytes:
    """The content of a .safetensors file that names its model."""
    return save(as_stored(network), {"model": model})


def model_of(path: Path) -> str:
    """Name of the model that a .safetensors file of this program holds; raises TrainingError."""
    try:
        with safe_open(path, "pt") as file:
            return str((file.metadata() or {})["model"])
    except (OSError, SafetensorError, KeyError) as error:
        raise TrainingError(
            f"'{path}' is not a .safetensors file of this program ({error}).", "Give weights made by training.fit."
        ) from error


def load_weights(network: FerNet, model: str, path: Path) -> None:
    """Puts the weights of a .safetensors file into a network of the named model.

    If its model card lies beside the file, the file is checked against it. Raises ModelError if they
    disagree and TrainingError if the file is missing, damaged, or belongs to another model.
    """
    if not path.is_file():
        raise TrainingError(f"There are no weights at '{path}'.", "Give the path of a .safetensors file.")
    if card_path(path).is_file():
        load_verified_card(path)
    try:
        with safe_open(path, "pt") as file:
            held = (file.metadata() or {}).get("model", "another network")
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"'{path}' is not a .safetensors file ({error}).") from error
    wanted = {name: tensor.shape for name, tensor in network.state_dict().items()}
    if {name: tensor.shape for name, tensor in tensors.items()} != wanted:
        raise TrainingError(f"'{path}' holds {held} and does not fit {model}.", f"Choose weights of {model}.")
    network.load_state_dict(tensors)
