"""Convolutions with attention to channels and places: CBAM."""

from __future__ import annotations

from itertools import pairwise

from timm.layers.cbam import CbamModule
from torch import nn

from training.networks.layers import double_convolution

_DROPOUT = 0.5


def attention_cnn(labels: int) -> nn.Module:
    """Double convolutions to 32, 64 and 128 channels, each with CBAM (Woo et al. 2018, arXiv 1807.06521) and max-pool.

    Then global average pool, Linear 256, dropout. CBAM is timm's, with the paper's reduction of 16 and 7x7 convolution.
    """
    blocks = [
        nn.Sequential(double_convolution(inputs, outputs), CbamModule(outputs), nn.MaxPool2d(2))
        for inputs, outputs in pairwise((1, 32, 64, 128))
    ]
    return nn.Sequential(
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, 256),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(256, labels),
    )
