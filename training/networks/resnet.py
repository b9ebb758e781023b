"""Residual networks of torchvision (He et al. 2016, arXiv 1512.03385) for 48 px."""

from __future__ import annotations

from collections.abc import Callable

import torchvision
from torch import nn


def resnet18(labels: int) -> nn.Module:
    """ResNet18, the larger of the networks that FER Live ships."""
    return _for_small_crops(torchvision.models.resnet18, labels)


def resnet34(labels: int) -> nn.Module:
    """ResNet34: the blocks of ResNet18, twice as many."""
    return _for_small_crops(torchvision.models.resnet34, labels)


def resnet50(labels: int) -> nn.Module:
    """ResNet50: bottlenecks of three convolutions, four times as many channels behind them."""
    return _for_small_crops(torchvision.models.resnet50, labels)


def _for_small_crops(make: Callable[..., torchvision.models.ResNet], labels: int) -> nn.Module:
    """A 3x3 stride-2 stem for one channel and no max-pool: 48 px leave 3x3."""
    backbone: nn.Module = make(num_classes=labels)
    backbone.conv1 = nn.Conv2d(1, 64, kernel_size=3, stride=2, padding=1, bias=False)
    backbone.maxpool = nn.Identity()
    return backbone
