"""What a forward pass costs: parameters, multiply-accumulates (MACs), memory of activations.

MACs are half of what torch.utils.flop_counter counts: convolutions and both attention products; norms,
activations and resizing are left out. At 224 px this gives 1.807, 4.607 and 8.353 G for T, S and B, where the
paper says 1.8, 4.5 and 8.3.

The formulas are torch's own (flop_registry); FlopCounterMode itself is not used, because its module tracker sets
hooks on every module of the process: counting in one thread then breaks autograd.grad in another.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

ATEN = torch.ops.aten
FORMULAS = {  # torch's; some releases lack one for fused attention on a CPU, whose operands are those on a GPU
    ATEN._scaled_dot_product_flash_attention_for_cpu: flop_registry[ATEN._scaled_dot_product_flash_attention]
} | flop_registry


@dataclass(frozen=True)
class Cost:
    """parameters: count. macs: multiply-accumulates of one image of side image_size. weights: bytes in memory."""

    parameters: int
    macs: float
    image_size: int
    weights: int


class _FlopCounter(TorchDispatchMode):
    """Adds up torch's formulas for the operators called inside; active in this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        formula = FORMULAS.get(function._overloadpacket)
        if formula is not None:
            self.flops += formula(*args, **(kwargs or {}), out_val=out)
        return out


def cost(model: nn.Module, image_size: int | None = None) -> Cost:
    """Cost of one forward pass of one square image by a TransXNet or Backbone; image_size None takes its spec's."""
    side = image_size or model.spec.image_size
    first = next(model.parameters())
    x = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
    with torch.no_grad(), _FlopCounter() as counter:
        model(x)
    return Cost(sum(p.numel() for p in model.parameters()), counter.flops / 2, side, weight_memory(model))


class _MemoryCounter(TorchDispatchMode):
    """Follows the bytes of the tensors made inside, until each is freed; active in this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._made: dict[int, tuple[int, weakref.finalize]] = {}  # of storages that live: bytes, what awaits the end
        self._outside: dict[int, torch.UntypedStorage] = {}  # kept until the pass is over: no address is used again

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for key, storage in self._new((args, kwargs)):
            self._outside[key] = storage
        out = function(*args, **(kwargs or {}))
        for key, storage in self._new(out):
            self._made[key] = storage.nbytes(), weakref.finalize(storage, self._freed, key)
            self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        return out

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for _, end in self._made.values():
            end.detach()
        self._made.clear()
        self._outside.clear()

    def _new(self, tensors: object) -> Iterator[tuple[int, torch.UntypedStorage]]:
        """Storages that were not met before, by their addresses."""
        for tensor in tree_leaves(tensors):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._made and storage._cdata not in self._outside:
                    yield storage._cdata, storage

    def _freed(self, key: int) -> None:
        self.live -= self._made.pop(key)[0]


def activation_memory(model: nn.Module, image_size: int | None = None) -> int:
    """Bytes: the most that tensors made during one forward pass take at one moment, batch 1, without gradients.

    Counted operator by operator, so the same on every device and however busy it is. Left out: weights, the image
    itself, and what an operator takes for itself while it works, which its library decides.
    """
    side = image_size or model.spec.image_size
    first = next(model.parameters())
    x = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
    with torch.no_grad(), _MemoryCounter() as counter:
        model(x)
    return counter.peak


def weight_memory(model: nn.Module) -> int:
    """Bytes of parameters and buffers as they are loaded."""
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
