"""The processes that train one network together, each on its share of every batch, as `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from fer_live.errors import ConfigError


@dataclass(frozen=True)
class Crew:
    """rank: number of this process, from 0. size: of the crew; 1 for a program that was not started by torchrun."""

    rank: int = 0
    size: int = 1

    @property
    def is_leader(self) -> bool:
        """The leader alone validates, writes files and says how far it is."""
        return self.rank == 0

    def joined(self, network: nn.Module) -> nn.Module:
        """The network, or one around it whose backward pass leaves the crew's mean gradients in it."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def share(self, number: float) -> float:
        """The leader's number, in every process; the others wait for it."""
        if self.size == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64, device=_device())
        dist.broadcast(told, src=0)
        return float(told)

    def mean(self, number: float) -> float:
        """Mean of what all processes have."""
        if self.size == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64, device=_device())
        dist.all_reduce(told)
        return float(told) / self.size

    @contextmanager
    def leader_first(self) -> Iterator[None]:
        """The others enter when the leader has left, and find the files that it wrote."""
        if not self.is_leader:
            self.share(0.0)
        yield
        if self.is_leader:
            self.share(0.0)

    def require_divisible(self, batch_size: int) -> None:
        """Raises ConfigError if a batch cannot be dealt out evenly."""
        if batch_size % self.size:
            raise ConfigError(
                f"A batch of {batch_size} faces cannot be shared by {self.size} processes.",
                f"Choose a --batch-size that is a multiple of {self.size}.",
            )


ALONE = Crew()


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def crew_of_torchrun() -> Iterator[Crew]:
    """The crew that the environment tells of (https://docs.pytorch.org/docs/stable/elastic/run.html), or a crew of one.

    Processes talk over NCCL where there are GPUs, one each, and over gloo where there are none.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Crew(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
