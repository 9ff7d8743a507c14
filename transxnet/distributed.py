"""Which of how many processes this one is, as torchrun's environment says; and the few things they tell each other.

    with workers(device) as worker:          # started plainly: Worker(0, 1, device), and no process group
        mine = things[worker.rank :: worker.size]
        parts = worker.gather(work(mine))    # everybody's at the chief, None elsewhere
        if worker.chief: ...

torchrun's variables: https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables. Objects travel by
gloo also where tensors travel by NCCL, so that they need no memory of a GPU.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from .errors import DeviceError
from .weights.load import resolve_device

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
PATIENCE = timedelta(hours=2)  # how long the quick wait for the slow; torchrun itself ends those left by a dead one

T = TypeVar("T")


@dataclass(frozen=True)
class Worker:
    """One of `size` processes that share a piece of work; `rank` counts from 0. The chief, rank 0, tells the result.

    gather and barrier are for all processes together: each has to call them, in the same order.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def chief(self) -> bool:
        return self.rank == 0

    def gather(self, thing: T) -> list[T] | None:
        """Everybody's thing (anything that pickles) in the order of the ranks, at the chief; None elsewhere."""
        if self.size == 1:
            return [thing]
        things: list[Any] | None = [None] * self.size if self.chief else None
        dist.gather_object(thing, things)
        return things

    def everybodys(self, thing: T) -> list[T]:
        """Everybody's thing in the order of the ranks, at every process."""
        things: list[Any] = [thing] * self.size
        if self.size > 1:
            dist.all_gather_object(things, thing)
        return things

    def barrier(self) -> None:
        """Wait until every process has come here."""
        self.everybodys(self.rank)  # by gloo: a GPU's stream is not waited for


@contextmanager
def workers(device: str | None = None) -> Iterator[Worker]:
    """This process among those that torchrun started, in a process group that ends with the block.

    device: as `--device` takes it; on CUDA each process has the GPU of its place on its machine, cuda:LOCAL_RANK.
    Raises DeviceError where a device is absent, or one GPU is named for several processes.
    """
    if not all(name in os.environ for name in VARIABLES):
        yield Worker(0, 1, resolve_device(device))
        return
    rank, size, place = (int(os.environ[name]) for name in VARIABLES[:3])
    mine = _own_device(device, place, size)
    on_gpu = mine.type == "cuda"
    if on_gpu:
        torch.cuda.set_device(mine)
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield Worker(rank, size, mine)
    finally:
        dist.destroy_process_group()


def _own_device(device: str | None, place: int, size: int) -> torch.device:
    found = resolve_device(device)
    if found.type != "cuda":
        return found
    if found.index is not None and size > 1:
        raise DeviceError(
            f"{size} processes cannot share {found}.", remedy="Say --device cuda: torchrun gives each process its own."
        )
    return resolve_device(f"cuda:{place if found.index is None else found.index}")
