"""Networks by name. Each takes raw grey crops and gives logits."""

from __future__ import annotations

import copy

import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from fer_live.errors import ConfigError


class FerNet(nn.Module):
    """A backbone behind per-image standardization.

    forward: float32 (N, 1, H, W) grey in [0, 255] -> logits float32 (N, K).
    Standardizing each crop by its own mean and deviation makes the network indifferent to exposure and gain.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, crops: Tensor) -> Tensor:
        logits: Tensor = self.backbone(standardize(crops))
        return logits


def standardize(crops: Tensor) -> Tensor:
    """Grey crops (N, 1, H, W) in [0, 255] -> each with mean 0 and deviation 1, but for crops without contrast."""
    scaled = crops / 255.0
    variance, mean = torch.var_mean(scaled, dim=(1, 2, 3), keepdim=True, correction=0)
    return (scaled - mean) * torch.rsqrt(variance + 1e-3)


class Classifier(nn.Module):
    """What is exported: FerNet, temperature and softmax. float32 (N, 1, H, W) -> probabilities (N, K)."""

    def __init__(self, network: FerNet, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, crops: Tensor) -> Tensor:
        return torch.softmax(self.network(crops) / self.temperature, dim=1)


class HalfClassifier(nn.Module):
    """A Classifier that computes in float16 between float32 crops and float32 probabilities.

    The backbone alone is float16: each crop's mean and deviation, and the softmax, stay exact.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.backbone = copy.deepcopy(classifier.network.backbone).half()
        self.temperature = classifier.temperature

    def forward(self, crops: Tensor) -> Tensor:
        logits = self.backbone(standardize(crops).half()).float()
        return torch.softmax(logits / self.temperature, dim=1)


def _mobilevit_xxs(labels: int) -> nn.Module:
    """MobileViT-XXS (Mehta & Rastegari 2022, arXiv 2110.02178) for 48 px: docs/decisions/0004 has the figures.

    Stock strides divide 48 px by 32 and leave 2x2 cells; with stride 1 in the last two stages they leave 6x6. Stem and
    first two stages, which give 24 channels at 12x12, are plain convolutions here that give 64 (after Xiao et al. 2021,
    arXiv 2106.14881).
    """
    backbone: nn.Module = timm.create_model("mobilevit_xxs", in_chans=1, num_classes=labels)
    for stage in list(backbone.get_submodule("stages").children())[-2:]:
        for module in stage.modules():
            if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
                module.stride = (1, 1)
    stem = nn.Sequential(
        _convolution(1, 32),
        _convolution(32, 32, stride=2),
        _convolution(32, 48),
        _convolution(48, 64, stride=2),
        _Residual(64),
    )
    entry = "stages.2.0.conv1_1x1.conv"
    taken = backbone.get_submodule(entry)
    assert isinstance(taken, nn.Conv2d)
    replaced = {"stem": stem, "stages.0": nn.Identity(), "stages.1": nn.Identity()}
    replaced[entry] = nn.Conv2d(64, taken.out_channels, kernel_size=1, bias=False)
    for name, module in replaced.items():
        backbone.set_submodule(name, module)
    return backbone


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.SiLU(inplace=True))


class _Residual(nn.Module):
    """Two convolutions that begin as the identity: the last scale starts at 0 (He et al. 2019, arXiv 1812.01187)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        return F.silu(features + self.norm(self.second(self.first(features))))


def _resnet18(labels: int) -> nn.Module:
    """ResNet18 (He et al. 2016) with a 3x3 stride-2 stem for one channel and no max-pool: 48 px leave 3x3."""
    backbone: nn.Module = torchvision.models.resnet18(num_classes=labels)
    backbone.conv1 = nn.Conv2d(1, 64, kernel_size=3, stride=2, padding=1, bias=False)
    backbone.maxpool = nn.Identity()
    return backbone


NETWORKS = {"mobilevit_xxs": _mobilevit_xxs, "resnet18": _resnet18}


def build(name: str, labels: int, dropout: float | None = None) -> FerNet:
    """A new network with weights from torch's global generator; raises ConfigError for an unknown name."""
    if name not in NETWORKS:
        raise ConfigError(f"Unknown model '{name}'.", f"Choose one of: {', '.join(sorted(NETWORKS))}.")
    return FerNet(NETWORKS[name](labels))


def parameter_count(network: nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in network.parameters())
