"""SmoothGrad: the gradient of one class's logit, averaged over noisy copies of the image.

Smilkov et al., 2017 (arXiv 1706.03825), eq. of section 3: mean over n samples of d y_c / dx at x + N(0, sigma^2), with
sigma a share of the input's range, x_max - x_min (they find 10 to 20 % best). Where it differs: signed, as their
absolute value hides what speaks against the class; summed over colors where they take the largest; noise from a
generator of its own, so that the same seed gives the same map and nobody else's random numbers change, which captum's
NoiseTunnel, drawing from the global state, cannot promise.

What it must not be read as: how much a pixel adds to the answer (that is times the pixel, along a way: integrated
gradients), but which small changes of noisy images would move it. With much noise it explains images that nobody
showed; with few samples it shows the noise: `halves_correlation` says how much.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import OutOfRange
from ...images import ModelInput
from ...process_settings import without_tf32
from ...results import Explanation
from ..observe import geometry_of, pick_class
from .captum_methods import AT_ONCE, input_of
from .grad_cam import class_words

NOISE = 0.15  # sigma, as a share of the input's range


@without_tf32()
def smooth_grad(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    class_index: int,
    samples: int = 32,
    noise: float = NOISE,
    seed: int = 0,
    target_words: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """SmoothGrad of one logit: float32 (H, W) over the view's pixels, summed over colors, signed.

    Units: logit per unit of normalized input. model: any classifier with .spec.name and .num_classes. lock: the
    model's, e.g. LoadedModel.lock. samples: noisy copies; noise: sigma as a share of the range of the normalized
    image's values, 0 gives the plain gradient. progress: called with (samples done, samples).
    numbers: logit of the image itself; samples; noise; sigma in normalized units; seed; sum of the map;
    halves_correlation: of the map of one half of the samples with that of the other (Pearson), NaN for one sample or
    a constant map; far below 1, other noise would give another map.
    Raises OutOfRange for a class that does not exist, fewer than one sample or negative noise, LensError in training
    mode.
    """
    _check(samples, noise)
    x = input_of(model, model_input)
    class_index = pick_class(model, class_index)
    sigma = noise * float(x.max() - x.min())
    with lock:
        halves = _halves(model, x, class_index, samples, sigma, seed, progress)  # (2, H, W)
        with torch.no_grad():
            logit = float(model(x)[0, class_index])
    heatmap = (halves.sum(dim=0) / samples).float().numpy()  # (H, W)
    numbers = {
        "logit": logit, "samples": float(samples), "noise": float(noise), "sigma": sigma, "seed": float(seed),
        "sum": float(heatmap.sum()), "halves_correlation": _correlation(*halves.numpy()),
    }  # fmt: skip
    return Explanation(
        "smooth_grad", model.spec.name, "input pixels", class_words(class_index, target_words), heatmap, True,
        "logit per unit of normalized input", geometry_of(model_input, heatmap.shape, 1.0), numbers,
    )  # fmt: skip


def _halves(
    model: nn.Module, x: Tensor, class_index: int, samples: int, sigma: float, seed: int,
    progress: Callable[[int, int], None] | None,
) -> Tensor:  # fmt: skip
    """Sums of the gradients of even and of odd samples: (2, H, W) float64."""
    halves = torch.zeros(2, *x.shape[-2:], dtype=torch.float64)
    source = torch.Generator().manual_seed(seed)  # on the CPU: the same noise on every device
    for begin in range(0, samples, AT_ONCE):
        count = min(AT_ONCE, samples - begin)
        slopes = _slopes(model, x + sigma * _normal(count, x, source), class_index)  # (count, H, W)
        for half in (0, 1):  # AT_ONCE is even: every batch begins with an even sample
            halves[half] += slopes[half::2].sum(dim=0)
        if progress:
            progress(begin + count, samples)
    return halves


def _normal(count: int, x: Tensor, source: torch.Generator) -> Tensor:
    """Standard normal noise for `count` images like x, one after another: batches of any size give the same."""
    each = [torch.randn(x.shape[1:], generator=source) for _ in range(count)]
    return torch.stack(each).to(x.device)  # (count, 3, H, W)


def _slopes(model: nn.Module, noisy: Tensor, class_index: int) -> Tensor:
    """d y_c / dx of each image, summed over colors: (count, H, W) float64 on the CPU."""
    noisy = noisy.detach().requires_grad_()  # (count, 3, H, W)
    with torch.enable_grad():
        score = model(noisy)[:, class_index].sum()
        (slope,) = torch.autograd.grad(score, noisy)
    return slope.double().sum(dim=1).cpu()


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float((one * other).sum()) / scale if scale else float("nan")


def _check(samples: int, noise: float) -> None:
    if samples < 1:
        raise OutOfRange(f"SmoothGrad cannot take {samples} samples.", remedy="Choose 1 or more, e.g. 32.")
    if not noise >= 0:
        raise OutOfRange(f"SmoothGrad cannot add noise of {noise:g}.", remedy="Choose 0 or more, e.g. 0.15.")
