"""Batch norm's running statistics, measured once more when training is over."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from training.augment import augment
from training.config import FitConfig

_FACES = 6400
_STRENGTH = 0.25


def settle_norms(network: nn.Module, images: NDArray[np.uint8], config: FitConfig) -> None:
    """Measures mean and variance of each batch norm anew, on Training images uint8 (N, H, W) with gentle augmentation.

    Training meets all framings of a face equally often, so that each is learnt; live, most faces lie near the middle.
    Statistics should be those of the faces that are met (Touvron et al. 2019, 'Fixing the train-test resolution
    discrepancy', arXiv 1906.06423). docs/experiments.md has what it brought. The draw comes from config.seed.
    """
    torch.manual_seed(config.seed)  # Dropout is at work, too.
    generator = torch.Generator().manual_seed(config.seed)
    rows = torch.randperm(len(images), generator=generator)[:_FACES]
    crops = torch.from_numpy(images)[:, None]
    # Equal parts: a last one of one face would have no variance.
    parts = tqdm(rows.chunk(max(1, len(rows) // config.batch_size)), desc="Norms", unit=" batches", leave=False)
    strength = _STRENGTH if config.augmentation else 0.0
    update_bn((augment(crops[part].float(), config, generator, strength) for part in parts), network)
