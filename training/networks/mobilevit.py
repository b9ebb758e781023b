"""MobileViT-XXS, the smaller of the networks that FER Live ships."""

from __future__ import annotations

import timm
import torch.nn.functional as F
from torch import Tensor, nn


def mobilevit_xxs(labels: int) -> nn.Module:
    """MobileViT-XXS (Mehta & Rastegari 2022, arXiv 2110.02178) for 48 px: docs/decisions/0004 has the figures.

    Stock strides divide 48 px by 32 and leave 2x2 cells; with stride 1 in the last two stages they leave 6x6. Stem and
    first two stages, which give 24 channels at 12x12, are plain convolutions here that give 64 (after Xiao et al. 2021,
    arXiv 2106.14881).
    """
    backbone: nn.Module = timm.create_model("mobilevit_xxs", in_chans=1, num_classes=labels)
    for stage in list(backbone.get_submodule("stages").children())[-2:]:
        for module in stage.modules():
            if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
                module.stride = (1, 1)
    stem = nn.Sequential(
        _convolution(1, 32),
        _convolution(32, 32, stride=2),
        _convolution(32, 48),
        _convolution(48, 64, stride=2),
        _Residual(64),
    )
    entry = "stages.2.0.conv1_1x1.conv"
    taken = backbone.get_submodule(entry)
    assert isinstance(taken, nn.Conv2d)
    replaced = {"stem": stem, "stages.0": nn.Identity(), "stages.1": nn.Identity()}
    replaced[entry] = nn.Conv2d(64, taken.out_channels, kernel_size=1, bias=False)
    for name, module in replaced.items():
        backbone.set_submodule(name, module)
    return backbone


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.SiLU(inplace=True))


class _Residual(nn.Module):
    """Two convolutions that begin as the identity: the last scale starts at 0 (He et al. 2019, arXiv 1812.01187)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        return F.silu(features + self.norm(self.second(self.first(features))))
