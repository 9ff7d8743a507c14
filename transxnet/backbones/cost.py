"""The cost of a backbone from its spec, without building the model."""

from __future__ import annotations

from functools import lru_cache

import timm
import torch
from torch import nn

from ..cost import Cost, cost, gradient_memory, weight_memory
from .spec import BackboneSpec


def backbone_cost(spec: BackboneSpec) -> Cost:
    """`cost` of a timm backbone at its image size, computed on shapes alone."""
    return cost(_shapes(spec), spec.image_size)


def backbone_parameters(spec: BackboneSpec) -> int:
    """The number of parameters of a timm backbone, from shapes alone."""
    return _size(spec)[0]


def backbone_memory(spec: BackboneSpec) -> int:
    """Bytes of the parameters and buffers of a timm backbone, from shapes alone."""
    return _size(spec)[1]


def backbone_gradient_memory(spec: BackboneSpec, image_size: int) -> int:
    """`gradient_memory` of a timm backbone, from shapes alone."""
    return gradient_memory(_shapes(spec).requires_grad_(False), image_size)


@lru_cache(maxsize=256)
def _size(spec: BackboneSpec) -> tuple[int, int]:
    net = _shapes(spec)
    return sum(p.numel() for p in net.parameters()), weight_memory(net)


def _shapes(spec: BackboneSpec) -> nn.Module:
    with torch.device("meta"):
        net = timm.create_model(f"{spec.architecture}.{spec.tag}" if spec.tag else spec.architecture)
    return net.eval()
