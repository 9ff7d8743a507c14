"""Weights as float16 in a safetensors file under 10 MB."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import WeightsError, WeightsMismatch

MAX_BYTES = 10_000_000  # a Space takes larger files only through LFS
HALF_MAX = torch.finfo(torch.float16).max


def write_half(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors: floating-point tensors as float16, BatchNorm's counters unchanged.

    Raises:
        WeightsMismatch: A value is not finite, or not in float16.
        WeightsError: The file has 10 MB or more.
    """
    save_file({key: _to_half(key, value) for key, value in state.items()}, path, metadata={"format": "pt"})
    if path.stat().st_size >= MAX_BYTES:
        raise WeightsError(
            f"{path.name} has {path.stat().st_size / 1e6:.1f} MB, but the limit of bundled files is "
            f"{MAX_BYTES / 1e6:g} MB.",
            remedy="Bundle a smaller variant; publish this one on the Hub.",
        )


def _to_half(key: str, value: Tensor) -> Tensor:
    value = value.detach().contiguous()
    if not value.is_floating_point():
        return value
    half = value.half()
    if not torch.isfinite(half).all():
        largest = value.abs().max().item()
        raise WeightsMismatch(
            f"{key} holds values up to {largest:g}, but the largest float16 is {HALF_MAX:g}.",
            remedy="The training diverged: train again with a lower learning rate.",
        )
    return half
