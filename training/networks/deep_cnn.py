"""Nine convolutions in four blocks, with batch norm and without."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import nn
from torchvision.ops import Conv2dNormActivation

_DEPTHS = (2, 2, 2, 3)
"""Convolutions a block. Known are the channels and, without norm, about 1.7 million parameters: this fits both."""


def deep_convolutions(
    labels: int,
    norm: type[nn.BatchNorm2d] | None = nn.BatchNorm2d,
    last: int = 256,
    block_dropout: float = 0.0,
    dropout: float = 0.5,
) -> nn.Module:
    """Blocks of 3x3 convolutions to 32, 64, 128 and `last` channels, each max-pooled; global average pool, Linear.

    norm: behind each convolution, before its ReLU. block_dropout: probability of dropping a channel behind a block;
    dropout: of a feature before the Linear layer.
    """
    layers: list[nn.Module] = []
    for (inputs, outputs), depth in zip(pairwise((1, 32, 64, 128, last)), _DEPTHS, strict=True):
        layers += [
            Conv2dNormActivation(outputs if index else inputs, outputs, norm_layer=norm) for index in range(depth)
        ]
        layers.append(nn.MaxPool2d(2))
        if block_dropout:
            layers.append(nn.Dropout2d(block_dropout))
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(last, labels)
    return nn.Sequential(*layers, *head)


deep_cnn = deep_convolutions
deep_cnn_192 = partial(deep_convolutions, last=192, block_dropout=0.1, dropout=0.7)
plain_deep_cnn = partial(deep_convolutions, norm=None)
