"""Double convolutions with dropout everywhere, on 48 px of grey or 128 px of colour."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import nn

from training.networks.layers import Enlarged, double_convolution

_CELLS = 4


def enhanced(labels: int, dropouts: tuple[float, float, float], channels: int = 1) -> nn.Module:
    """Double convolutions to 32, 64, 128 and 96 channels, pooled to 4x4, Linear 128-64-labels.

    dropouts: behind each of the first three blocks, and behind either hidden Linear layer. channels: of the input.
    """
    in_blocks, first, second = dropouts
    blocks = [
        nn.Sequential(double_convolution(inputs, outputs), nn.MaxPool2d(2), nn.Dropout(in_blocks))
        for inputs, outputs in pairwise((channels, 32, 64, 128))
    ]
    return nn.Sequential(
        *blocks,
        double_convolution(128, 96),
        nn.AdaptiveAvgPool2d(_CELLS),
        nn.Flatten(),
        nn.Linear(96 * _CELLS * _CELLS, 128),
        nn.ReLU(),
        nn.Dropout(first),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Dropout(second),
        nn.Linear(64, labels),
    )


enhanced_cnn = partial(enhanced, dropouts=(0.25, 0.5, 0.3))
enhanced_cnn_v2 = partial(enhanced, dropouts=(0.35, 0.6, 0.4))


def enhanced_cnn_128(labels: int) -> nn.Module:
    """enhanced_cnn for RGB pictures of 128 px: the crop is enlarged, and its grey stands in each channel."""
    return Enlarged(enhanced(labels, (0.25, 0.5, 0.3), channels=3), side=128, channels=3)
