"""Networks without any convolution: what pixels alone tell."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import nn

_PIXELS = 48 * 48


def fully_connected(labels: int, hidden: tuple[int, ...]) -> nn.Module:
    """The crop's 2304 pixels as one row, a Linear layer with ReLU for each hidden width, one for the labels."""
    widths = (_PIXELS, *hidden)
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], labels))


fc_tiny = partial(fully_connected, hidden=(64,))
fc_basic = partial(fully_connected, hidden=(48,))
fc_deep = partial(fully_connected, hidden=(192, 48))
