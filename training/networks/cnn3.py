"""Three convolutions, and what normalization is worth to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from torch import nn
from torchvision.ops import Conv2dNormActivation

_CHANNELS = (1, 32, 64, 128)
_CELLS = 6
_DROPOUT = 0.25
_GROUPS = 8


def three_convolutions(labels: int, norm: Callable[[int], nn.Module] | None) -> nn.Module:
    """3x3 convolutions to 32, 64 and 128 channels, each with norm, ReLU, 2x2 max-pool and dropout; Linear 256, 128.

    norm: makes the norm of so many channels; None for a network without. Batch norm alone takes a convolution's bias
    away again. Without it, the other norms would blow up the rounding errors of a crop that is all one grey.
    """
    has_bias = norm is not nn.BatchNorm2d
    blocks = [
        nn.Sequential(
            Conv2dNormActivation(inputs, outputs, norm_layer=norm, bias=has_bias),
            nn.MaxPool2d(2),
            nn.Dropout(_DROPOUT),
        )
        for inputs, outputs in pairwise(_CHANNELS)
    ]
    return nn.Sequential(
        *blocks,
        nn.Flatten(),
        nn.Linear(_CHANNELS[-1] * _CELLS * _CELLS, 256),
        nn.ReLU(),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, labels),
    )


def _group_norm(channels: int) -> nn.Module:
    """Eight groups of channels (Wu & He 2018, arXiv 1803.08494)."""
    return nn.GroupNorm(_GROUPS, channels)


def _layer_norm(channels: int) -> nn.Module:
    """All features of a face together (Ba et al. 2016, arXiv 1607.06450), a scale for each channel: one group."""
    return nn.GroupNorm(1, channels)


cnn3 = partial(three_convolutions, norm=nn.BatchNorm2d)
cnn3_group = partial(three_convolutions, norm=_group_norm)
cnn3_layer = partial(three_convolutions, norm=_layer_norm)
cnn3_none = partial(three_convolutions, norm=None)
