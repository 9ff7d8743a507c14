"""The official implementation's outputs, and the weights and inputs they were made from.

tests/data/state_dict_spec.json holds every state-dict key of the official T, S and B, in order, with its shape;
tests/data/transxnet_reference.npz what the official code returned (eval mode, float32, CPU) for the weights
and inputs that this file regenerates. Arrays are named VARIANT.HxW.…; stages and blocks count from 0 there.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
CASES = (("t", 224, 224), ("t", 192, 256), ("t", 384, 384), ("s", 224, 224), ("b", 224, 224))

worst_errors: dict[str, float] = {}  # variant -> worst relative error seen; conftest.py prints it


@cache
def spec() -> dict[str, dict[str, list[int]]]:
    """variant ("t", "s", "b") -> key -> shape, in the official order."""
    return json.loads((DATA / "state_dict_spec.json").read_text(encoding="utf-8"))


@cache
def arrays() -> Mapping[str, np.ndarray]:
    with np.load(DATA / "transxnet_reference.npz") as file:
        return {name: file[name] for name in file.files}


def reference_state(variant: str) -> dict[str, Tensor]:
    """The weights of the reference, regenerated: variant "t", "s" or "b"."""
    return recipe_state(spec()[variant])


def recipe_state(shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """The same recipe for any keys and shapes."""
    return {key: torch.as_tensor(_recipe(key, tuple(shape))) for key, shape in shapes.items()}


def reference_input(height: int, width: int, seed: int = 0) -> Tensor:
    """(1, 3, H, W) float32."""
    image = np.random.default_rng(seed).standard_normal((1, 3, height, width))
    return torch.from_numpy(image.astype(np.float32))


def relative_error(variant: str, actual: Tensor, expected: np.ndarray) -> float:
    """Largest difference over largest absolute value; the worst of a variant is remembered for the summary."""
    error = float(np.abs(actual.numpy() - expected).max() / np.abs(expected).max())
    worst_errors[variant] = max(error, worst_errors.get(variant, 0.0))
    return error


def _recipe(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The first rule that fits."""
    x = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    rules = (
        (key.endswith("num_batches_tracked"), lambda: np.int64(1)),
        ("running_var" in key, lambda: 1 + 0.25 * np.tanh(x)),
        ("running_mean" in key, lambda: 0.1 * x),
        (key.endswith(".bias"), lambda: 0.1 * x),
        ("relative_pos_enc" in key, lambda: 0.5 * x),
        ("layer_scale" in key, lambda: 0.1 + 0.02 * x),
        (len(shape) == 1, lambda: 1 + 0.1 * x),
        ("local_unit.weight" in key, lambda: x / math.sqrt(shape[-1] * shape[-2])),
        (True, lambda: x / math.sqrt(math.prod(shape[1:]))),
    )
    return np.asarray(next(value() for fits, value in rules if fits))
