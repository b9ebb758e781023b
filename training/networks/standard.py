"""What every network has around its backbone: standardized crops in front, and what is exported."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


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
