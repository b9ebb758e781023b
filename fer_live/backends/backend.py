"""What every inference backend offers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard


class Backend(Closing, Protocol):
    """One network in one runtime on one device; used and closed on one thread.

    name: its name in the registry. device: the device in use, as the runtime reports it. card: of the network
    that is loaded. max_batch: the largest N of one call.
    """

    name: str
    device: str
    card: ModelCard
    max_batch: int

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Batch float32 (N, 1, H, W) in [0, 255], 1 <= N <= max_batch -> probabilities float32 (N, K).

        Rows sum to 1 and follow card.labels. Raises ValueError for another shape or dtype.
        """
        ...

    def close(self) -> None:
        """Frees the network; calling it again does nothing."""
        ...
