"""One or two convolutions before wide linear layers: first networks of a course."""

from __future__ import annotations

from functools import partial

from torch import nn
from torchvision.ops import Conv2dNormActivation

_DROPOUT = 0.3


def simple_cnn(labels: int) -> nn.Module:
    """A 3x3 convolution to 64 channels, ReLU, max-pool, Linear 36864-128-labels: 4,720,263 parameters with 7."""
    return nn.Sequential(
        Conv2dNormActivation(1, 64, norm_layer=None),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 24 * 24, 128),
        nn.ReLU(),
        nn.Linear(128, labels),
    )


def two_convolutions(labels: int, norm: type[nn.BatchNorm2d] | None) -> nn.Module:
    """5x5 convolutions to 32 and 64 channels, each with ReLU and max-pool, dropout 0.3, Linear 9216-128-labels."""
    return nn.Sequential(
        Conv2dNormActivation(1, 32, kernel_size=5, norm_layer=norm),
        nn.MaxPool2d(2),
        Conv2dNormActivation(32, 64, kernel_size=5, norm_layer=norm),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(_DROPOUT),
        nn.Linear(64 * 12 * 12, 128),
        nn.ReLU(),
        nn.Linear(128, labels),
    )


simple_cnn5 = partial(two_convolutions, norm=None)
simple_cnn5_bn = partial(two_convolutions, norm=nn.BatchNorm2d)
