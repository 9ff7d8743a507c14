"""How long a study took, in what means something on a shared machine: plain forward passes of the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from ..process_settings import without_tf32

if TYPE_CHECKING:
    from ..weights.load import LoadedModel

PASSES = 7  # timed of each model; the median is told


@without_tf32()
def plain_forward(model: LoadedModel) -> float:
    """Seconds of one forward pass of one image of the model's own size, nothing recorded: the median of several."""
    import torch

    size = model.spec.image_size
    x = torch.zeros(1, 3, size, size, device=model.device)
    with torch.no_grad():
        return median(_timed(model, x) for _ in range(PASSES + 1))  # the first one, which warms up, weighs little


def _timed(model: LoadedModel, x) -> float:
    begun = time.perf_counter()
    model.model(x).cpu()  # on a GPU: wait for it
    return time.perf_counter() - begun


def timing(seconds: float, images: int, models: Sequence[LoadedModel]) -> dict[str, object]:
    """For the manifest: seconds of the whole work on so many images, and of a plain forward pass of each model."""
    passes = {model.name: plain_forward(model) for model in models}
    each = seconds / images if images else 0.0
    return {
        "seconds": seconds,
        "images": images,
        "plain_forward_seconds": passes,
        "plain_forwards_a_image": each / sum(passes.values()),
    }


def in_words(told: dict[str, object]) -> str:
    """ "3 images in 41.0 s: 13.7 s each, as long as 640 plain forward passes (21.4 ms, timed in this run)"."""
    images, seconds, passes = told["images"], told["seconds"], told["plain_forward_seconds"]
    many = f"{images} image{'' if images == 1 else 's'} in {seconds:.1f} s: {seconds / images:.1f} s each"
    return (
        f"{many}, as long as {told['plain_forwards_a_image']:.0f} plain forward passes "
        f"({1000 * sum(passes.values()):.1f} ms{' of all models' if len(passes) > 1 else ''}, timed in this run)"
    )
