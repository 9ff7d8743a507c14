"""What a peer costs, by its name alone: for lists, where no model is to be built."""

from __future__ import annotations

import timm
import torch

from ..cost import Cost, cost
from .spec import PeerSpec


def peer_cost(spec: PeerSpec) -> Cost:
    """`cost` of a timm backbone at its own size. No weight is drawn, and none is stored: shapes are enough."""
    with torch.device("meta"):
        net = timm.create_model(f"{spec.architecture}.{spec.tag}" if spec.tag else spec.architecture)
    return cost(net.eval(), spec.image_size)
