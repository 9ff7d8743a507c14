"""Integrated gradients and occlusion, by captum: what pixels and patches of the image contribute to one class's logit.

Integrated gradients: Sundararajan et al., ICML 2017 (arXiv 1703.01365), eq. 1, Gauss-Legendre steps along the straight
line from the baseline. Occlusion: Zeiler and Fergus, ECCV 2014 (arXiv 1311.2901), section 4.2, with the drop of the
logit instead of the probability's. The baseline of both is zero after normalization, that is the mean color of the
model's normalization, a medium gray. They run the model many times.

Captum keeps state on the model (some of its methods hook it), so both run under the model's lock.

Limitations: both compare with gray, so gray parts of the image contribute nothing. Gray patches and faded images are
unlike the model's training images; another baseline gives another map.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from captum.attr import IntegratedGradients, Occlusion
from torch import Tensor, nn

from ...errors import OutOfRange
from ...images import ModelInput
from ...messages import Message
from ...process_settings import without_tf32
from ...results import Explanation
from ..observe import check_class_index, grid_geometry, images_per_pass, require_eval
from .grad_cam import class_caption

BATCH_SIZE = 16  # images per forward pass, at most
STEPS = 48  # pico on three photos: error of 1.7% to 2.3%; with 32 steps 2.4% to 7.9%, with 64 steps 0.02% to 2.1%
Progress = Callable[[int, int], None]  # (images done, images in total)


@without_tf32()
def integrated_gradients(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    class_index: int,
    steps: int = STEPS,
    class_name: str = "",
    progress: Progress | None = None,
) -> Explanation:
    """Integrated gradients of one logit, summed over colors.

    Args:
        model: Any classifier with .spec.name and .num_classes, in evaluation mode.
        lock: The model's, such as LoadedModel.lock.
        model_input: Prepared for this model.
        class_index: Of the model's output.
        steps: Points on the line from gray to the image.
        class_name: For the caption.
        progress: Called after every batch with (steps done, steps).

    Returns:
        float32 (H, W) over model-input pixels, signed, in logits. `numbers`: logit; baseline_logit of the gray image;
        sum of the map; completeness_error = |sum - (logit - baseline_logit)| / |logit - baseline_logit|, 0 for
        infinitely many steps: the larger, the less reliable the map.

    Raises:
        OutOfRange: For a class that does not exist, or fewer than one step.
        LensError: In training mode.
    """
    if steps < 1:
        raise OutOfRange(f"Integrated gradients cannot take {steps} steps.", remedy=f"Choose 1 or more, e.g. {STEPS}.")
    x = input_tensor(model, model_input)
    class_index = check_class_index(model, class_index)
    with lock:
        attribution = IntegratedGradients(_with_progress(model, steps, progress)).attribute(
            x,
            baselines=0,
            target=class_index,
            n_steps=steps,
            internal_batch_size=images_per_pass(model_input, BATCH_SIZE),
        )  # (1, 3, H, W)
        logit, baseline_logit = _logits(model, x, class_index)
    heatmap = attribution.detach().sum(dim=1)[0].float().cpu().numpy()  # captum integrates in float64
    total, difference = float(heatmap.sum()), logit - baseline_logit
    error = abs(total - difference) / abs(difference) if difference else float("nan")
    return Explanation(
        "integrated_gradients", model.spec.name, "input pixels", class_caption(class_index, class_name),
        heatmap, True, "logit", grid_geometry(model_input, heatmap.shape, 1.0),
        {"logit": logit, "baseline_logit": baseline_logit, "sum": total, "completeness_error": error},
    )  # fmt: skip


@without_tf32()
def occlusion(
    model: nn.Module,
    lock: AbstractContextManager,
    model_input: ModelInput,
    class_index: int,
    patch: int | None = None,
    stride: int | None = None,
    class_name: str = "",
    progress: Progress | None = None,
) -> Explanation:
    """Drop of one logit when a square patch turns gray. One forward pass per patch.

    A value belongs to a cell of stride x stride pixels: the mean drop of the logit over the patches that cover it.
    Positive cells are evidence for the class.

    Args:
        model: Any classifier with .spec.name and .num_classes, in evaluation mode.
        lock: The model's, such as LoadedModel.lock.
        model_input: Prepared for this model.
        class_index: Of the model's output.
        patch: Side in model-input pixels; None is an eighth of the input's side.
        stride: From one patch to the next; must divide the patch; None is half the patch.
        class_name: For the caption.
        progress: Called after every batch with (images done, images).

    Returns:
        float32 (H / stride, W / stride), signed, in logits. `numbers`: logit; patch and stride in pixels; largest_drop
        of a cell.

    Raises:
        OutOfRange: For a class, patch or stride that does not fit.
        LensError: In training mode.
    """
    x = input_tensor(model, model_input)
    class_index = check_class_index(model, class_index)
    patch, stride = _patch_and_stride(x.shape[-2:], patch, stride)
    with lock:
        attribution = Occlusion(_with_progress(model, _image_count(x, patch, stride), progress)).attribute(
            x, (3, patch, patch), (3, stride, stride), baselines=0, target=class_index,
            perturbations_per_eval=images_per_pass(model_input, BATCH_SIZE),
        )  # (1, 3, H, W), equal in all colors and over each cell  # fmt: skip
        logit, _ = _logits(model, x, class_index)
    heatmap = attribution[0, 0, ::stride, ::stride].float().cpu().numpy()
    numbers = {"logit": logit, "patch": float(patch), "stride": float(stride), "largest_drop": float(heatmap.max())}
    return Explanation(
        "occlusion", model.spec.name, Message("input, patches of {patch} px", patch=patch),
        class_caption(class_index, class_name), heatmap, True, "logit",
        grid_geometry(model_input, heatmap.shape, float(stride), (stride - 1) / 2), numbers,
    )  # fmt: skip


def input_tensor(model: nn.Module, model_input: ModelInput) -> Tensor:
    """A copy of the normalized model input on the model's device.

    Args:
        model: In evaluation mode.
        model_input: Prepared for this model.

    Returns:
        (1, 3, H, W) float32.

    Raises:
        LensError: In training mode.
    """
    require_eval(model)
    return model_input.tensor.detach().to(next(model.parameters()).device, torch.float32, copy=True)


def _with_progress(model: nn.Module, total: int, progress: Progress | None) -> Callable[[Tensor], Tensor]:
    """The model as a function that reports progress after every batch."""
    count = 0

    def forward(x: Tensor) -> Tensor:  # (B, 3, H, W) -> (B, classes)
        nonlocal count
        logits = model(x)
        count = min(count + len(x), total)
        if progress:
            progress(count, total)
        return logits

    return forward


def _image_count(x: Tensor, patch: int, stride: int) -> int:
    """Forward passes of occlusion: the image itself, then one per patch."""
    rows, cols = (-(-(side - patch) // stride) + 1 for side in x.shape[-2:])
    return 1 + rows * cols


@torch.no_grad()
def _logits(model: nn.Module, x: Tensor, class_index: int) -> tuple[float, float]:
    """Of the image and of the gray baseline."""
    logit, baseline_logit = model(torch.cat((x, torch.zeros_like(x))))[:, class_index].tolist()
    return logit, baseline_logit


def _patch_and_stride(size: tuple[int, int], patch: int | None, stride: int | None) -> tuple[int, int]:
    side = min(size)
    patch = max(side // 8, 1) if patch is None else patch
    if not 1 <= patch <= side:
        raise OutOfRange(f"A patch of {patch} px does not fit the model input.", remedy=f"Choose 1 to {side}.")
    stride = (patch // 2 if patch % 2 == 0 else patch) if stride is None else stride
    if stride < 1 or patch % stride:
        message = f"A stride of {stride} px does not divide the patch of {patch} px."
        raise OutOfRange(message, remedy="Choose a stride that does, e.g. half the patch.")
    return patch, stride
