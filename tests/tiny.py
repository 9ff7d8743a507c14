"""A TransXNet small enough for tests that run it hundreds of times, and images for it.

Weights follow the recipe of tests/reference.py, so that attention, gates and LayerScale are far from uniform, zero or
one, and every logit depends on every part.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from tests.reference import recipe_state
from transxnet.images import ModelInput
from transxnet.model import TransXNet
from transxnet.variants import VARIANTS, VariantSpec

# Depths, heads and groups that differ between stages, halves that no head count divides by accident.
SPEC = VariantSpec(
    "transxnet_tiny", (2, 1, 3, 2), (8, 16, 24, 40), (1, 2, 3, 5), (2, 2, 3, 4), (3, 3, 2, 2),
    bias_size=64, num_classes=7, image_size=96, crop_pct=1.0,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """For modules that import it: tensors this small lose more by sharing the work than they gain."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def recipe_model(spec: VariantSpec | str = SPEC) -> TransXNet:
    """A model of this row, or of the variant of this name, with the recipe's weights, in eval mode."""
    model = TransXNet(VARIANTS[spec] if isinstance(spec, str) else spec).eval()
    model.load_state_dict(recipe_state({key: list(value.shape) for key, value in model.state_dict().items()}))
    return model


def model_input(height: int = 96, width: int = 96, seed: int = 0) -> ModelInput:
    """A random image of this size: the view was cut from (10, 20) out of an upload twice as fine, 30 px larger."""
    image = np.random.default_rng(seed).standard_normal((1, 3, height, width)).astype(np.float32)
    return ModelInput(
        torch.from_numpy(image), np.zeros((height, width, 3), np.uint8),
        crop_box=(10.0, 20.0, 10.0 + 2 * width, 20.0 + 2 * height), source_size=(2 * width + 30, 2 * height + 30),
    )  # fmt: skip


def leftovers(model: torch.nn.Module) -> list[str]:
    """What an explanation must not leave on a shared model: gradients and hooks, by name."""
    left = [f"{name}.grad" for name, parameter in model.named_parameters() if parameter.grad is not None]
    for name, module in model.named_modules():
        kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        left += [f"{name}.{kind}" for kind in kinds if getattr(module, kind)]
    return left
