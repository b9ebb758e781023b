"""What every inference backend offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fer_live.core.closing import Closing
from fer_live.core.modelcard import ModelCard

MAX_BATCH = 32
"""The largest N that the backends of this package take at once."""


class Backend(Closing, Protocol):
    """One network in one runtime on one device; used on one thread at a time, unless it is thread-safe.

    name: its name in the registry. device: the device in use, as the runtime reports it. card: of the network
    that is loaded. max_batch: the largest N of one call. is_thread_safe: several threads may call infer at once, and
    gain by it. passed_over: what the registry's `auto` would rather have taken, each as 'name: why it cannot run'.
    """

    name: str
    device: str
    card: ModelCard
    max_batch: int
    is_thread_safe: bool
    passed_over: tuple[str, ...]

    def infer(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Batch float32 (N, 1, H, W) in [0, 255], 1 <= N <= max_batch -> probabilities float32 (N, K).

        Rows sum to 1 and follow card.labels. Raises ValueError for another shape or dtype.
        """
        ...

    def close(self) -> None:
        """Frees the network; calling it again does nothing."""
        ...


class BackendClass(Protocol):
    """What the registry asks of a class of backends.

    warm_up_batch: the N of a first call, which shows whether it works: on a GPU the largest, so that there is room for
    all. What another N needs is made when that first comes.
    """

    warm_up_batch: int

    def __call__(self, weights: Path) -> Backend:
        """Opens a network; raises ModelError for a broken .onnx or card, BackendError if it does not run here."""
        ...

    def unavailable_because(self, weights: Path | None = None) -> str | None:
        """Why the backend cannot run here, or cannot run a network of which weights is the .onnx; else None."""
        ...

    def preparation(self, weights: Path) -> list[str] | None:
        """Arguments of the Python program that must run before this backend can open a network; None if none must.

        Also None where no preparation would help. The program prints lines of progress, one a step, as
        `3/10 what it does`, and ends with code 0, or with another one after a sentence on standard error.
        """
        ...


def check_batch(batch: NDArray[np.float32], card: ModelCard, max_batch: int) -> None:
    """Raises ValueError unless batch is float32 (1..max_batch, 1, H, W) of the card's size."""
    wanted = (card.input.channels, card.input.height, card.input.width)
    if batch.dtype != np.float32 or batch.shape[1:] != wanted or not 1 <= len(batch) <= max_batch:
        raise ValueError(f"batch must be float32 (1..{max_batch}, {wanted}), got {batch.dtype} {batch.shape}")
