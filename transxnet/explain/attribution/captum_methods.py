"""Integrated gradients and occlusion, by captum: what the image's pixels and patches add to one class's logit.

Integrated gradients: Sundararajan et al., ICML 2017 (arXiv 1703.01365), eq. 1, Gauss-Legendre steps along the straight
line from the baseline. Occlusion: Zeiler and Fergus, ECCV 2014 (arXiv 1311.2901), section 4.2, with the logit's drop in
place of the probability's. Both take as baseline zeros after normalization, that is the mean color of the model's own
normalization, a middle gray. They run the model many times.

Captum keeps state on what it is given (some of its methods hook the module), so both run under the model's lock.

What they must not be read as: both compare with gray, so what is gray already counts for nothing. Gray patches and
fading images are images the model was not trained on; another baseline gives another map.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from captum.attr import IntegratedGradients, Occlusion
from torch import Tensor, nn

from ...errors import OutOfRange
from ...images import ModelInput
from ...process_settings import without_tf32
from ...results import Explanation
from ..observe import geometry_of, need_eval, pick_class
from .grad_cam import class_words

AT_ONCE = 16  # images a forward pass
STEPS = 48  # of pico on three photos off by 1.7 to 2.3 %; 32 steps are off by 2.4 to 7.9 %, 64 by 0.02 to 2.1 %
Progress = Callable[[int, int], None]  # (images done, images in all)


@without_tf32()
def integrated_gradients(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    class_index: int,
    steps: int = STEPS,
    target_words: str = "",
    progress: Progress | None = None,
) -> Explanation:
    """Integrated gradients of one logit: float32 (H, W) over the view's pixels, summed over colors, signed, in logits.

    model: any classifier with .spec.name and .num_classes. lock: the model's, e.g. LoadedModel.lock. steps: points on
    the way from gray to the image; more cost more. progress: called after every batch, with (steps done, steps).
    numbers: logit; baseline_logit of the gray image; sum of the map; completeness_error = |sum - (logit -
    baseline_logit)| / |logit - baseline_logit|: 0 for infinitely many steps, and the figure to doubt the map by.
    Raises OutOfRange for a class that does not exist or fewer than one step, LensError in training mode.
    """
    if steps < 1:
        raise OutOfRange(f"Integrated gradients cannot take {steps} steps.", remedy=f"Choose 1 or more, e.g. {STEPS}.")
    x = input_of(model, model_input)
    class_index = pick_class(model, class_index)
    with lock:
        attribution = IntegratedGradients(_counted(model, steps, progress)).attribute(
            x, baselines=0, target=class_index, n_steps=steps, internal_batch_size=AT_ONCE
        )  # (1, 3, H, W)
        logit, gray = _logits(model, x, class_index)
    heatmap = attribution.detach().sum(dim=1)[0].float().cpu().numpy()  # captum integrates in float64
    total = float(heatmap.sum())
    error = abs(total - (logit - gray)) / abs(logit - gray) if logit != gray else float("nan")
    return Explanation(
        "integrated_gradients", model.spec.name, "input pixels", class_words(class_index, target_words), heatmap, True,
        "logit", geometry_of(model_input, heatmap.shape, 1.0),
        {"logit": logit, "baseline_logit": gray, "sum": total, "completeness_error": error},
    )  # fmt: skip


@without_tf32()
def occlusion(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    class_index: int,
    patch: int | None = None,
    stride: int | None = None,
    target_words: str = "",
    progress: Progress | None = None,
) -> Explanation:
    """Drop of one logit when a square patch turns gray: float32 (H / stride, W / stride), signed, in logits.

    model: any classifier with .spec.name and .num_classes. lock: the model's, e.g. LoadedModel.lock. patch: side in
    view pixels, None an eighth of the view's; stride: from one patch to the next, None half the patch; it must divide
    the patch. progress: called after every batch, with (images done, images).
    A value stands for a cell of stride x stride pixels: the mean, over the patches that cover it, of what the logit
    loses. Positive: the cell speaks for the class. One forward pass a patch.
    numbers: logit; patch and stride in pixels; largest_drop of a cell.
    Raises OutOfRange for a class, patch or stride that does not fit, LensError in training mode.
    """
    x = input_of(model, model_input)
    class_index = pick_class(model, class_index)
    patch, stride = _patch_and_stride(x.shape[-2:], patch, stride)
    with lock:
        attribution = Occlusion(_counted(model, _passes(x, patch, stride), progress)).attribute(
            x, (3, patch, patch), (3, stride, stride), baselines=0, target=class_index, perturbations_per_eval=AT_ONCE
        )  # (1, 3, H, W), the same in all colors and over each cell
        logit, _ = _logits(model, x, class_index)
    heatmap = attribution[0, 0, ::stride, ::stride].float().cpu().numpy()
    numbers = {"logit": logit, "patch": float(patch), "stride": float(stride), "largest_drop": float(heatmap.max())}
    return Explanation(
        "occlusion", model.spec.name, f"input, patches of {patch} px", class_words(class_index, target_words), heatmap,
        True, "logit", geometry_of(model_input, heatmap.shape, float(stride), (stride - 1) / 2), numbers,
    )  # fmt: skip


def input_of(model: nn.Module, model_input: ModelInput) -> Tensor:
    """A copy of the normalized view, (1, 3, H, W) float32 on the model's device. Raises LensError in training mode."""
    need_eval(model)
    return model_input.tensor.detach().to(next(model.parameters()).device, torch.float32, copy=True)


def _counted(model: nn.Module, total: int, progress: Progress | None) -> Callable[[Tensor], Tensor]:
    """The model, telling `progress` after every batch."""
    done = 0

    def forward(x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        nonlocal done
        logits = model(x)
        done = min(done + len(x), total)
        if progress:
            progress(done, total)
        return logits

    return forward


def _passes(x: Tensor, patch: int, stride: int) -> int:
    """Images that occlusion shows the model: the image itself, then one a patch."""
    down, across = (-(-(side - patch) // stride) + 1 for side in x.shape[-2:])
    return 1 + down * across


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor, class_index: int) -> tuple[float, float]:  # image's and gray's
    logit, gray = model(torch.cat((x, torch.zeros_like(x))))[:, class_index].tolist()
    return logit, gray


def _patch_and_stride(size: tuple[int, int], patch: int | None, stride: int | None) -> tuple[int, int]:
    side = min(size)
    patch = max(side // 8, 1) if patch is None else patch
    if not 1 <= patch <= side:
        raise OutOfRange(f"A patch of {patch} px does not fit the view.", remedy=f"Choose 1 to {side}.")
    stride = (patch // 2 if patch % 2 == 0 else patch) if stride is None else stride
    if stride < 1 or patch % stride:
        raise OutOfRange(
            f"A stride of {stride} px does not divide the patch of {patch} px.",
            remedy="Choose a stride that does, e.g. half the patch.",
        )
    return patch, stride
