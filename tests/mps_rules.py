"""Two rules of Apple GPUs, applied on the CPU: what runs inside `with MPSRules():` fails where MPS would fail.

Nothing here says whether a tensor would be on the GPU, so no tensor may be float64 at all: NumPy computes in float64,
after `.cpu().numpy()`. Adaptive average pooling needs sizes that divide each other.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DOUBLE = (torch.float64, torch.complex128)
POOLING = ("_adaptive_avg_pool2d", "adaptive_avg_pool2d")


class MPSRules(TorchDispatchMode):
    """Raises TypeError for a float64 tensor and RuntimeError for a pooling that MPS lacks."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func.overloadpacket.__name__ in POOLING:
            for size, pooled in zip(args[0].shape[-2:], args[1], strict=True):
                if max(size, pooled) % min(size, pooled):
                    raise RuntimeError(f"MPS pools adaptively only where sizes divide: {size} to {pooled}")
        result = func(*args, **kwargs)
        for tensor in tree_leaves((args, kwargs, result)):
            if isinstance(tensor, Tensor) and tensor.dtype in DOUBLE:
                raise TypeError(f"MPS has no {tensor.dtype}: {func}")
        return result
