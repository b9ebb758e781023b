"""What a network costs before any training: parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from fer_live.core.modelcard import FER2013_LABELS
from training.layouts import SPEC
from training.networks import FerNet, build, parameter_count


@dataclass(frozen=True)
class Size:
    """params: trainable numbers; mmacs: million multiply-accumulates for one 48x48 crop."""

    name: str
    params: int
    mmacs: float


def sizes(names: Iterable[str]) -> list[Size]:
    """The size of each named network, for FER2013's labels; raises ConfigError for an unknown name."""
    return [_size(name, build(name, len(FER2013_LABELS))) for name in names]


def _size(name: str, network: FerNet) -> Size:
    crop = torch.zeros(1, SPEC.channels, SPEC.height, SPEC.width)
    # The counter knows the products of attention, but not the processor's fused kernel for them.
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network.eval()(crop)
    # It counts a multiply-accumulate as two operations.
    return Size(name, parameter_count(network), counter.get_total_flops() / 2e6)
