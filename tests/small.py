"""A LoadedModel small and quick enough to be studied in every test, and images for it.

Weights follow the recipe of tests/reference.py; its classes are Tiny-ImageNet's, so it can be asked by name.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from tests.reference import recipe_state
from transxnet.images import SourceImage, decode
from transxnet.model import TransXNet
from transxnet.variants import VariantSpec
from transxnet.weights.load import LoadedModel, Provenance

SPEC = VariantSpec(
    "transxnet_small", (1, 2, 2, 1), (8, 16, 24, 40), (1, 2, 3, 5), (2, 2, 3, 4), (2, 2, 2, 2),
    bias_size=64, num_classes=200, image_size=64, crop_pct=1.0, label_set="tiny-imagenet-200",
)  # fmt: skip


@cache
def small_model(kind: str = "folder", **switches: bool) -> LoadedModel:
    """kind: of its provenance; "untrained" makes it one whose weights are random. switches: osra=False, …"""
    spec = replace(SPEC, **switches)
    model = TransXNet(spec).eval().requires_grad_(False)
    model.load_state_dict(recipe_state({key: list(value.shape) for key, value in model.state_dict().items()}))
    return LoadedModel(model, spec, Provenance(kind, "small.safetensors", "ab" * 32), torch.device("cpu"))


def image(seed: int = 0, width: int = 100, height: int = 80) -> SourceImage:
    """A random image, smooth enough that a crop of it looks like its neighbors."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    return decode(coarse.repeat(10, axis=0).repeat(10, axis=1))
