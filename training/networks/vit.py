"""A vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929), tiny (Touvron et al. 2021, arXiv 2012.12877)."""

from __future__ import annotations

import timm
from torch import nn

from training.networks.layers import Enlarged

_MODEL = "vit_tiny_patch16_224"


def vit(labels: int) -> nn.Module:
    """timm's ViT tiny with patches of 6 px: 64 of them in 48 px."""
    backbone: nn.Module = timm.create_model(_MODEL, in_chans=1, num_classes=labels, img_size=48, patch_size=6)
    return backbone


def vit_224(labels: int) -> nn.Module:
    """timm's ViT tiny as it is, 196 patches of 16 px, on the crop enlarged to 224 px."""
    return Enlarged(timm.create_model(_MODEL, in_chans=1, num_classes=labels), side=224, channels=1)
