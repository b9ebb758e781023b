"""The VGG that Khaireddin & Chen 2021 (arXiv 2105.03588) tuned for FER2013."""

from __future__ import annotations

from torch import nn
from torchvision.models.vgg import make_layers

_STAGES: list[str | int] = [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M"]
_CELLS = 3
_DROPOUT = 0.2


def vgg_fer(labels: int) -> nn.Module:
    """Four stages of two 3x3 convolutions with batch norm, max-pooled; Linear 4096-4096-labels with dropout 0.2.

    As models/vgg.py of the authors' repository usef-kh/fer on GitHub has it. Theirs sees crops of 40 px, of which 2x2
    cells are left; here 48 px leave 3x3. It drops before ReLU, which gives the same.
    """
    features = make_layers(_STAGES, batch_norm=True)
    features[0] = nn.Conv2d(1, 64, kernel_size=3, padding=1)
    return nn.Sequential(
        features,
        nn.Flatten(),
        nn.Linear(512 * _CELLS * _CELLS, 4096),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(4096, labels),
    )
