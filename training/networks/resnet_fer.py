"""A residual network of FER2013's own size: ResNet18 at half its width."""

from __future__ import annotations

from typing import Any

from timm.models.resnet import BasicBlock, ResNet
from torch import nn


def resnet_fer(labels: int) -> nn.Module:
    """timm's ResNet with two basic blocks of 32, 64, 128 and 256 channels each, after resnet18's stem.

    Of its source only this is known: a residual network of about 2.8 million parameters.
    """
    block: Any = BasicBlock  # timm asks for the class and annotates an instance.
    backbone = ResNet(block, (2, 2, 2, 2), num_classes=labels, in_chans=1, channels=(32, 64, 128, 256))
    backbone.set_submodule("conv1", nn.Conv2d(1, 64, kernel_size=3, stride=2, padding=1, bias=False))
    backbone.set_submodule("maxpool", nn.Identity())
    return backbone
