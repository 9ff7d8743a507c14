"""What a run was made on, in words fit for a card: never a host's name."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows


def hardware(device: torch.device, workers: int = 1) -> str:
    """The name of a GPU, or the number of CPU threads in use and the CPU model; of each of several workers."""
    return _one(device) if workers == 1 else f"{workers} processes, each on {_one(device)}"


def _one(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"the GPU of an {platform.machine()} Mac"
    threads = torch.get_num_threads()
    return f"{threads} CPU thread{'s' if threads > 1 else ''}, {_cpu()}"


def _cpu() -> str:
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
