"""All networks by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from fer_live.errors import ConfigError
from training.networks.attention_cnn import attention_cnn
from training.networks.cnn3 import cnn3, cnn3_group, cnn3_layer, cnn3_none
from training.networks.deep_cnn import deep_cnn, deep_cnn_192, plain_deep_cnn
from training.networks.enhanced_cnn import enhanced_cnn, enhanced_cnn_128, enhanced_cnn_v2
from training.networks.fc import fc_basic, fc_deep, fc_tiny
from training.networks.mobilevit import mobilevit_xxs
from training.networks.resnet import resnet18, resnet34, resnet50
from training.networks.resnet_fer import resnet_fer
from training.networks.simple_cnn import simple_cnn, simple_cnn5, simple_cnn5_bn
from training.networks.standard import FerNet
from training.networks.vgg_fer import vgg_fer
from training.networks.vit import vit, vit_224

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "fc_tiny": fc_tiny,
    "fc_basic": fc_basic,
    "fc_deep": fc_deep,
    "cnn3": cnn3,
    "cnn3_group": cnn3_group,
    "cnn3_layer": cnn3_layer,
    "cnn3_none": cnn3_none,
    "simple_cnn": simple_cnn,
    "simple_cnn5": simple_cnn5,
    "simple_cnn5_bn": simple_cnn5_bn,
    "deep_cnn": deep_cnn,
    "deep_cnn_192": deep_cnn_192,
    "plain_deep_cnn": plain_deep_cnn,
    "attention_cnn": attention_cnn,
    "enhanced_cnn": enhanced_cnn,
    "enhanced_cnn_v2": enhanced_cnn_v2,
    "enhanced_cnn_128": enhanced_cnn_128,
    "resnet_fer": resnet_fer,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "vit": vit,
    "vit_224": vit_224,
    "mobilevit_xxs": mobilevit_xxs,
    "vgg_fer": vgg_fer,
}
"""Make backbones for K labels: float32 (N, 1, 48, 48), standardized -> logits (N, K). docs/zoo.md says what each is."""


def build(name: str, labels: int, dropout: float | None = None) -> FerNet:
    """A new network with weights from torch's global generator.

    dropout: probability in [0, 1) of every nn.Dropout that has one; None for the network's own.
    Raises ConfigError for an unknown name, and for dropout where the network has none.
    """
    if name not in NETWORKS:
        raise ConfigError(f"Unknown model '{name}'.", f"Choose one of: {', '.join(sorted(NETWORKS))}.")
    network = FerNet(NETWORKS[name](labels))
    if dropout is not None:
        _set_dropout(network, name, dropout)
    return network


def _set_dropout(network: FerNet, name: str, probability: float) -> None:
    drops = [module for module in network.modules() if isinstance(module, nn.Dropout) and module.p > 0]
    if not drops:
        raise ConfigError(f"Model '{name}' has no dropout.", "Leave dropout out, or choose another model.")
    for drop in drops:
        drop.p = probability


def parameter_count(network: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters())
