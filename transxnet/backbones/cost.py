"""What a backbone costs, by its name alone: for lists, where no model is to be built."""

from __future__ import annotations

from functools import lru_cache

import timm
import torch
from torch import nn

from ..cost import Cost, cost, weight_memory
from .spec import BackboneSpec


def backbone_cost(spec: BackboneSpec) -> Cost:
    """`cost` of a timm backbone at its own size. No weight is drawn, and none is stored: shapes are enough."""
    return cost(_shapes(spec), spec.image_size)


def backbone_parameters(spec: BackboneSpec) -> int:
    """How many parameters a timm backbone has; looked up the same way, without a pass."""
    return _size(spec)[0]


def backbone_memory(spec: BackboneSpec) -> int:
    """Bytes of a timm backbone's parameters and buffers; looked up the same way."""
    return _size(spec)[1]


@lru_cache(maxsize=256)
def _size(spec: BackboneSpec) -> tuple[int, int]:
    net = _shapes(spec)
    return sum(p.numel() for p in net.parameters()), weight_memory(net)


def _shapes(spec: BackboneSpec) -> nn.Module:
    with torch.device("meta"):
        net = timm.create_model(f"{spec.architecture}.{spec.tag}" if spec.tag else spec.architecture)
    return net.eval()
