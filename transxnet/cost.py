"""Cost of a forward pass: parameters, multiply-accumulates (MACs), memory of activations.

MACs are half of what torch.utils.flop_counter counts: convolutions and both attention products; norms, activations and
resizing are excluded. At 224 px this gives 1.807, 4.607 and 8.353 G for T, S and B; the paper reports 1.8, 4.5 and 8.3.

The formulas are torch's own (flop_registry); FlopCounterMode itself is not used, because its module tracker sets hooks
on every module of the process: counting in one thread then breaks autograd.grad in another.
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
    """Cost of one image.

    Attributes:
        parameters: Their number.
        macs: Multiply-accumulates.
        image_size: Side of the square model input, in pixels.
        weights: Bytes of parameters and buffers in memory.
    """

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
    """Cost of one forward pass of one square image.

    Args:
        model: A TransXNet or Backbone.
        image_size: Side in pixels; None is the model's own.
    """
    image = _blank_image(model, image_size)
    with torch.no_grad(), _FlopCounter() as counter:
        model(image)
    parameters = sum(p.numel() for p in model.parameters())
    return Cost(parameters, counter.flops / 2, image.shape[-1], weight_memory(model))


class _MemoryCounter(TorchDispatchMode):
    """Tracks the bytes of the tensors allocated inside, until each is freed; active in this thread only."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._allocated: dict[int, tuple[int, weakref.finalize]] = {}  # of live storages: bytes, finalizer
        self._external: dict[int, torch.UntypedStorage] = {}  # referenced until the end: no address is reused

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        for key, storage in self._new((args, kwargs)):
            self._external[key] = storage
        out = function(*args, **(kwargs or {}))
        for key, storage in self._new(out):
            self._allocated[key] = storage.nbytes(), weakref.finalize(storage, self._freed, key)
            self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)
        return out

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for _, end in self._allocated.values():
            end.detach()
        self._allocated.clear()
        self._external.clear()

    def _new(self, tensors: object) -> Iterator[tuple[int, torch.UntypedStorage]]:
        """(address, storage) of storages that are not tracked yet."""
        for tensor in tree_leaves(tensors):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage._cdata not in self._allocated and storage._cdata not in self._external:
                    yield storage._cdata, storage

    def _freed(self, key: int) -> None:
        self.live -= self._allocated.pop(key)[0]


def activation_memory(model: nn.Module, image_size: int | None = None) -> int:
    """Peak memory of the tensors allocated during one forward pass of one image, without gradients.

    Counted operator by operator, so it is the same on every device and independent of its load. Excluded: weights, the
    image itself, and an operator's temporary workspace, which depends on its library.

    Args:
        model: A TransXNet or Backbone.
        image_size: Side in pixels; None is the model's own.

    Returns:
        Bytes.
    """
    image = _blank_image(model, image_size)
    with torch.no_grad(), _MemoryCounter() as counter:
        model(image)
    return counter.peak


def gradient_memory(model: nn.Module, image_size: int) -> int:
    """Peak memory of one forward pass of one image whose graph is kept for a backward pass, counted likewise.

    Args:
        model: A TransXNet, Backbone or timm model, best on the meta device, where nothing is computed.
        image_size: Side in pixels.

    Returns:
        Bytes.
    """
    parameter = next(model.parameters())
    image = torch.zeros(1, 3, image_size, image_size, device=parameter.device, dtype=parameter.dtype)
    with torch.enable_grad(), _MemoryCounter() as counter:
        model(image.requires_grad_())
    return counter.peak


def _blank_image(model: nn.Module, image_size: int | None) -> torch.Tensor:  # (1, 3, side, side)
    side, parameter = image_size or model.spec.image_size, next(model.parameters())
    return torch.zeros(1, 3, side, side, device=parameter.device, dtype=parameter.dtype)


def weight_memory(model: nn.Module) -> int:
    """Bytes of parameters and buffers."""
    return sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
