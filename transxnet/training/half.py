"""Weights as float16 in a safetensors file under 10 MB."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..errors import WeightsError, WeightsMismatch

LARGEST = 10_000_000  # bytes: a Space takes larger files only through LFS
HALF_MAX = torch.finfo(torch.float16).max


def write_half(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict as safetensors: floating-point tensors as float16, BatchNorm's counters as they are.

    Raises WeightsMismatch for values that are not finite, or would not be in float16; WeightsError from 10 MB.
    """
    save_file({key: _halved(key, value) for key, value in state.items()}, path, metadata={"format": "pt"})
    if path.stat().st_size >= LARGEST:
        raise WeightsError(
            f"{path.name} would be {path.stat().st_size / 1e6:.1f} MB, and bundled files stay under "
            f"{LARGEST / 1e6:g} MB.",
            remedy="Bundle a smaller variant; publish this one on the Hub.",
        )


def _halved(key: str, value: Tensor) -> Tensor:
    value = value.detach().contiguous()
    if not value.is_floating_point():
        return value
    half = value.half()
    if not torch.isfinite(half).all():
        largest = value.abs().max().item()
        raise WeightsMismatch(
            f"{key} holds values up to {largest:g}, and float16 ends at {HALF_MAX:g}.",
            remedy="The training diverged: train again, with a lower rate.",
        )
    return half
