"""Layers that several families share."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation


def double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch norm and ReLU. (N, inputs, H, W) -> (N, outputs, H, W)."""
    return nn.Sequential(Conv2dNormActivation(inputs, outputs), Conv2dNormActivation(outputs, outputs))


class Enlarged(nn.Module):
    """A backbone for larger pictures behind bilinear enlargement.

    forward: float (N, 1, H, W) -> logits (N, K), through (N, channels, side, side), all channels alike.
    """

    def __init__(self, backbone: nn.Module, side: int, channels: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.side = side
        self.channels = channels

    def forward(self, crops: Tensor) -> Tensor:
        larger = F.interpolate(crops, size=(self.side, self.side), mode="bilinear", align_corners=False)
        logits: Tensor = self.backbone(larger.expand(-1, self.channels, -1, -1))
        return logits
