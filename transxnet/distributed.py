"""One process among those that torchrun started: its rank, its device, and how the processes exchange objects.

    with process_group(device) as worker:      # without torchrun: Worker(0, 1, device), and no process group
        results = compute(items[worker.rank :: worker.world_size])
        gathered = worker.gather(results)      # the results of all processes at the main one, None elsewhere
        if worker.is_main: ...

torchrun's variables: https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables. Objects travel by
gloo also where tensors travel by NCCL, so that they need no GPU memory.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from .errors import DeviceError
from .weights.load import resolve_device

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
TIMEOUT = timedelta(hours=2)  # of a collective call; torchrun itself ends the processes that a crashed one leaves
CPU_INFO = Path("/proc/cpuinfo")  # on Linux

T = TypeVar("T")


@dataclass(frozen=True)
class Worker:
    """One of `world_size` processes that share work. gather, all_gather and barrier must be called by all of them.

    Attributes:
        rank: Number of this process, from 0.
        world_size: Number of processes.
        device: Device of this process.
    """

    rank: int
    world_size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is the process of rank 0, which writes and prints the results."""
        return self.rank == 0

    def gather(self, value: T) -> list[T] | None:
        """The values of all processes in the order of their ranks, at the main process; None elsewhere.

        Args:
            value: Any object that can be pickled.
        """
        values = self.all_gather(value)
        return values if self.is_main else None

    def all_gather(self, value: T) -> list[T]:
        """The values of all processes in the order of their ranks, at every process."""
        values: list[Any] = [value] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(values, value)
        return values

    def barrier(self) -> None:
        """Wait until all processes have called this."""
        self.all_gather(self.rank)  # by gloo: does not wait for a GPU's stream


@contextmanager
def process_group(device: str | None = None) -> Iterator[Worker]:
    """Join the process group of torchrun, and leave it at the end of the block.

    Args:
        device: As `--device` takes it. On CUDA each process has one GPU of its machine, cuda:LOCAL_RANK.

    Yields:
        This process; the only one if it was not started by torchrun.

    Raises:
        DeviceError: The device does not exist, or one GPU is named for several processes.
    """
    if not all(name in os.environ for name in VARIABLES):
        yield Worker(0, 1, resolve_device(device))
        return
    rank, world_size, local_rank = (int(os.environ[name]) for name in VARIABLES[:3])
    local_device = _local_device(device, local_rank, world_size)
    backend = "gloo"
    if local_device.type == "cuda":
        torch.cuda.set_device(local_device)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, rank=rank, world_size=world_size, timeout=TIMEOUT)
    try:
        yield Worker(rank, world_size, local_device)
    finally:
        dist.destroy_process_group()


def _local_device(device: str | None, local_rank: int, world_size: int) -> torch.device:
    resolved = resolve_device(device)
    if resolved.type != "cuda":
        return resolved
    if resolved.index is not None and world_size > 1:
        raise DeviceError(
            f"{world_size} processes cannot share {resolved}.",
            remedy="Use --device cuda: torchrun assigns one GPU to each process.",
        )
    return resolve_device(f"cuda:{local_rank if resolved.index is None else resolved.index}")


# --- Hardware ---------------------------------------------------------------------------------------------------------


def describe_hardware(device: torch.device, processes: int = 1) -> str:
    """Hardware of a run for model cards and reports, without the host's name.

    Args:
        device: Device of each process.
        processes: Number of processes.

    Returns:
        Name of the GPU, or number of CPU threads and CPU model.
    """
    if device.type in ("cuda", "xpu", "npu"):
        description = getattr(torch, device.type).get_device_name(device)
    elif device.type == "mps":
        description = f"the GPU of an {platform.machine()} Mac"
    else:
        threads = torch.get_num_threads()
        description = f"{threads} CPU thread{'s' if threads > 1 else ''}, {_cpu_model()}"
    return description if processes == 1 else f"{processes} processes, each on {description}"


def _cpu_model() -> str:
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
