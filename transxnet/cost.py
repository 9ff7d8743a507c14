"""What a forward pass costs: parameters and multiply-accumulates (MACs).

MACs are half of what torch.utils.flop_counter counts: convolutions and both attention products; norms,
activations and resizing are left out. At 224 px this gives 1.807, 4.607 and 8.353 G for T, S and B, where the
paper says 1.8, 4.5 and 8.3.

The formulas are torch's own (flop_registry); FlopCounterMode itself is not used, because its module tracker sets
hooks on every module of the process: counting in one thread then breaks autograd.grad in another.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


@dataclass(frozen=True)
class Cost:
    """parameters: count. macs: multiply-accumulates of one picture of side image_size."""

    parameters: int
    macs: float
    image_size: int


class _FlopCounter(TorchDispatchMode):
    """Adds up torch's formulas for the operators called inside; active in this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        formula = flop_registry.get(function._overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=out)
        return out


def cost(model: nn.Module, image_size: int | None = None) -> Cost:
    """Cost of one forward pass of one square picture by a TransXNet or Peer; image_size None takes its spec's."""
    side = image_size or model.spec.image_size
    first = next(model.parameters())
    x = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
    with torch.no_grad(), _FlopCounter() as counter:
        model(x)
    return Cost(sum(p.numel() for p in model.parameters()), counter.flops / 2, side)
