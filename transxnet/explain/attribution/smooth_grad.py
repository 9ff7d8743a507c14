"""SmoothGrad: the gradient of one class's logit, averaged over noisy copies of the image.

Smilkov et al., 2017 (arXiv 1706.03825), eq. of section 3: mean over n samples of d y_c / dx at x + N(0, sigma^2), sigma
a share of the input's range, x_max - x_min (they find 10% to 20% best). Differences: signed, because their absolute
value hides evidence against the class; summed over colors where they take the largest; noise from a separate
generator, so that the same seed gives the same map and the global random state is unchanged, which captum's
NoiseTunnel, drawing from the global state, cannot guarantee.

Limitations: the map does not show how much a pixel contributes to the prediction (that takes the gradient times the
pixel, along a path: integrated gradients), but which small changes of noisy images would change it. With much noise it
explains images unlike the given one; with few samples it shows the noise: `halves_correlation` measures how much.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import OutOfRange
from ...images import ModelInput
from ...process_settings import without_tf32
from ...results import Explanation
from ..observe import check_class_index, grid_geometry, images_per_pass
from .captum_methods import BATCH_SIZE, Progress, input_tensor
from .grad_cam import class_caption

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
    class_name: str = "",
    progress: Progress | None = None,
) -> Explanation:
    """SmoothGrad of one logit, summed over colors.

    Args:
        model: Any classifier with .spec.name and .num_classes, in evaluation mode.
        lock: The model's, such as LoadedModel.lock.
        model_input: Prepared for this model.
        class_index: Of the model's output.
        samples: Number of noisy copies.
        noise: sigma as a share of the range of the normalized image; 0 gives the plain gradient.
        seed: Of the noise.
        class_name: For the caption.
        progress: Called after every batch with (samples done, samples).

    Returns:
        float32 (H, W) over model-input pixels, signed, logit per unit of normalized input. `numbers`: logit of the
        image itself; samples; noise; sigma in normalized units; seed; sum of the map; halves_correlation, Pearson's
        correlation between the maps of the two halves of the samples, NaN for one sample or a constant map: far below
        1, other noise would give another map.

    Raises:
        OutOfRange: For a class that does not exist, fewer than one sample or negative noise.
        LensError: In training mode.
    """
    _check(samples, noise)
    x = input_tensor(model, model_input)
    class_index = check_class_index(model, class_index)
    sigma = noise * float(x.max() - x.min())
    with lock:
        batch_size = images_per_pass(model_input, BATCH_SIZE)
        halves = _gradient_sums(model, x, class_index, samples, sigma, seed, batch_size, progress)  # (2, H, W)
        with torch.no_grad():
            logit = float(model(x)[0, class_index])
    heatmap = (halves.sum(axis=0) / samples).astype(np.float32)  # (H, W)
    numbers = {
        "logit": logit, "samples": float(samples), "noise": float(noise), "sigma": sigma, "seed": float(seed),
        "sum": float(heatmap.sum()), "halves_correlation": _correlation(*halves),
    }  # fmt: skip
    return Explanation(
        "smooth_grad", model.spec.name, "input pixels", class_caption(class_index, class_name), heatmap, True,
        "logit per unit of normalized input", grid_geometry(model_input, heatmap.shape, 1.0), numbers,
    )  # fmt: skip


def _gradient_sums(
    model: nn.Module, x: Tensor, class_index: int, samples: int, sigma: float, seed: int, batch_size: int,
    progress: Progress | None,
) -> np.ndarray:  # fmt: skip
    """Sums of the gradients of even and of odd samples: (2, H, W) float64."""
    halves = np.zeros((2, *x.shape[-2:]))
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise on every device
    for start in range(0, samples, batch_size):
        count = min(batch_size, samples - start)
        # drawn image by image: independent of the batch size
        noise = torch.stack([torch.randn(x.shape[1:], generator=generator) for _ in range(count)])  # (count, 3, H, W)
        gradients = _gradients(model, x + sigma * noise.to(x.device), class_index)  # (count, H, W)
        for half in (0, 1):  # batch_size is even: every batch starts with an even sample
            halves[half] += gradients[half::2].sum(axis=0)
        if progress:
            progress(start + count, samples)
    return halves


def _gradients(model: nn.Module, noisy: Tensor, class_index: int) -> np.ndarray:
    """d y_c / dx of each image, summed over colors: (count, H, W) float64."""
    noisy = noisy.detach().requires_grad_()  # (count, 3, H, W)
    with torch.enable_grad():
        score = model(noisy)[:, class_index].sum()
        (gradients,) = torch.autograd.grad(score, noisy)
    return gradients.cpu().numpy().astype(np.float64).sum(axis=1)  # MPS has no float64


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float((first * second).sum()) / scale if scale else float("nan")


def _check(samples: int, noise: float) -> None:
    if samples < 1:
        raise OutOfRange(f"SmoothGrad cannot take {samples} samples.", remedy="Choose 1 or more, e.g. 32.")
    if not noise >= 0:
        raise OutOfRange(f"SmoothGrad cannot add noise of {noise:g}.", remedy="Choose 0 or more, e.g. 0.15.")
