"""What a forward pass costs: parameters and multiply-accumulates (MACs).

MACs are half of torch.utils.flop_counter.FlopCounterMode's total: convolutions and both attention products,
the convention of definitions of this project; norms, activations and resizing are not counted. At 224 px this
gives 1.807, 4.607 and 8.353 G for T, S and B, where the paper says 1.8, 4.5 and 8.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from .model import TransXNet


@dataclass(frozen=True)
class Cost:
    """parameters: count. macs: multiply-accumulates of one picture of side image_size."""

    parameters: int
    macs: float
    image_size: int


def cost(model: TransXNet, image_size: int | None = None) -> Cost:
    """Cost of one forward pass of one square picture; image_size None takes the variant's own."""
    side = image_size or model.spec.image_size
    first = next(model.parameters())
    x = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(x)
    return Cost(sum(p.numel() for p in model.parameters()), counter.get_total_flops() / 2, side)
