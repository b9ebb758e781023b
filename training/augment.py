"""Augmentation of whole batches of tensors."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from training.config import FitConfig

_ERASED_AREA = (0.02, 0.2)
_LEAST_STRENGTH = 0.25


def strength_at(epoch: int, config: FitConfig) -> float:
    """How much of the augmentation an epoch, from 0, has: easy first, all of it later.

    A short run learns faster so (progressive learning, Tan & Le 2021, arXiv 2104.00298).
    """
    easy_epochs = config.easy_share * config.epochs
    if epoch >= easy_epochs:
        return 1.0
    return _LEAST_STRENGTH + (1 - _LEAST_STRENGTH) * epoch / easy_epochs


def augment(batch: Tensor, config: FitConfig, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Random flip, rotation, scale, shift and erasing, each crop by its own draw.

    batch: float32 (N, 1, H, W) in [0, 255]; returns the same. Outside the crop its border repeats.
    strength: in [0, 1], share of the ranges of all but the flip.
    """
    count = len(batch)

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(count, generator=generator) * (high - low) + low

    angle = uniform(-config.rotation_deg, config.rotation_deg) * (strength * math.pi / 180)
    zoom = torch.exp(uniform(math.log(config.scale_min), math.log(config.scale_max)) * strength)
    mirror = (uniform(0, 1) < 0.5) * -2.0 + 1.0
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.cos(angle) / zoom * mirror
    theta[:, 0, 1] = -torch.sin(angle) / zoom
    theta[:, 1, 0] = torch.sin(angle) / zoom * mirror
    theta[:, 1, 1] = torch.cos(angle) / zoom
    # Coordinates of affine_grid span -1 to 1: a side is 2 long.
    theta[:, 0, 2] = uniform(-config.shift, config.shift) * 2 * strength
    theta[:, 1, 2] = uniform(-config.shift, config.shift) * 2 * strength
    grid = F.affine_grid(theta.to(batch.device), list(batch.shape), align_corners=False)
    warped = F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
    return _erase(warped, config.erasing * strength, generator)


def _erase(batch: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Random erasing (Zhong et al. 2020): fills a rectangle of some crops with one random grey."""
    count, _, height, width = batch.shape
    draw = torch.rand(6, count, 1, generator=generator)
    area = draw[0] * (_ERASED_AREA[1] - _ERASED_AREA[0]) + _ERASED_AREA[0]
    aspect = torch.exp((draw[1] * 2 - 1) * math.log(3.0))
    high, wide = torch.sqrt(area * aspect), torch.sqrt(area / aspect)
    rows = (torch.arange(height) + 0.5) / height
    columns = (torch.arange(width) + 0.5) / width
    in_rows = ((rows - draw[2]).abs() < high / 2)[:, :, None]
    in_columns = ((columns - draw[3]).abs() < wide / 2)[:, None, :]
    chosen = (draw[4] < probability)[:, :, None]
    hidden = (in_rows & in_columns & chosen)[:, None].to(batch.device)
    grey = (draw[5] * 255)[:, :, None, None].to(batch.device)
    return torch.where(hidden, grey, batch)
