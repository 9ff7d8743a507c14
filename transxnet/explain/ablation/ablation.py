"""Several ablations at once, with or without an occluded region: predictions before and after.

This project's own. What each change does is described in catalog.py, edits.py and masking.py.

One batched pass: the changed image, the same without its mask, and the masked shape at other positions
(`masking.moved_masks`), all under the same edits. Without changes there is no pass, and the predictions are those
before, bit for bit.

Limitations: the model was not trained with a part changed or a hole in its image. A large change shows that the part,
or the region, is used for this prediction; see table.py and masking.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ...backbones.module import Backbone
from ...images import ModelInput
from ...labels import LabelSet
from ...messages import Message
from ...model import TransXNet
from ...results.ablation import Ablation
from ..observe import check_class_index, observe, require_eval
from ..predict import predict, predictions_of
from .catalog import combined_edits, describe_applied, parse_ablations, split_applicable
from .edits import Edits
from .masking import mask_on_crop, moved_masks, occlude, parse_mask
from .table import GRAY, MAX_BATCH_PIXELS, reference_kernels

TOP = 5  # predictions to compare


def ablation(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    labels: LabelSet,
    class_index: int | None = None,
    ablations: Iterable[str] = (),
    mask: str = "",
    fill: str = "gray",
    reference_input: ModelInput | None = None,
    reference_name: str = Message("another image"),
    logits_before: np.ndarray | None = None,
) -> Ablation:
    """Predict with parts changed and a region occluded. Needs no gradients; deterministic.

    Args:
        model: In eval mode.
        model_input: The prepared image.
        labels: Names of the model's classes.
        class_index: The target class; None is the top prediction.
        ablations: Changes in the text form of `catalog.parse_ablation`. Those that do not apply to this model are in
            `skipped`, with the reason.
        mask: As `masking.parse_mask` takes it; "" is none.
        fill: One of `masking.FILLS`.
        reference_input: The image, prepared for this model, whose kernels `other_kernels` borrows; None is plain gray.
        reference_name: That image in words.
        logits_before: (classes,) float32, the logits without changes, if they are known; None runs one more pass.

    Returns:
        Predictions before and after.

    Raises:
        UnknownName: There is no such change or fill.
        OutOfRange: A change, the mask or the class is out of range.
        LensError: The model is in training mode.
    """
    require_eval(model)
    requested = parse_ablations(ablations)
    if logits_before is None:
        logits_before = predict(observe(model, model_input, keep=()), labels, top=1).logits
    target = int(logits_before.argmax()) if class_index is None else check_class_index(model, class_index)
    applicable, skipped = split_applicable(model, requested)
    masked = mask_on_crop(parse_mask(mask), model_input) if mask else np.zeros(model_input.crop.shape[:2], bool)
    edits = combined_edits(model, applicable, lambda: reference_kernels(model, model_input, reference_input))
    other = GRAY if reference_input is None else reference_name
    x = model_input.tensor.float()  # (1, 3, H, W)
    occluded = occlude(x, torch.from_numpy(masked[None]), fill)  # also without a mask: refuses an unknown fill
    mask_effect = control_effects = None
    if masked.any():
        plain = [x] if applicable else []  # without edits that is the pass from before
        controls = occlude(x, torch.from_numpy(moved_masks(masked)), fill)
        logits = _logits(model, model_input, torch.cat([occluded, *plain, controls]), edits)
        logits_after, unmasked = logits[0], logits[1] if applicable else logits_before
        mask_effect = float(logits_after[target] - unmasked[target])
        controlled = logits[1 + len(plain) :]
        control_effects = np.array([control[target] - unmasked[target] for control in controlled], np.float32)
    else:
        logits_after = _logits(model, model_input, x, edits)[0] if applicable else logits_before
    before, after = (  # best first
        {p.index: p for p in predictions_of(torch.from_numpy(logits), labels, len(labels), model.spec.activation).top}
        for logits in (logits_before, logits_after)
    )
    listed = list(dict.fromkeys([*list(before)[:TOP], *list(after)[:TOP]]))
    top_before, top_after = next(iter(before)), next(iter(after))
    return Ablation(
        model.spec.name, (before[target], after[target]), tuple(before[i] for i in listed),
        tuple(after[i] for i in listed), after[top_after] if top_after != top_before else None,
        logits_before, logits_after,
        tuple(describe_applied(model, change, other) for change in applicable), skipped,
        _crop(model, model_input, occluded[0], masked), fill, float(masked.mean()), mask_effect, control_effects,
    )  # fmt: skip


def _logits(model: TransXNet | Backbone, model_input: ModelInput, images: Tensor, edits: Edits) -> list[np.ndarray]:
    """(N, 3, H, W) -> N times (classes,) float32, under the edits."""
    height, width = images.shape[-2:]
    logits: list[np.ndarray] = []
    for batch in images.split(max(1, MAX_BATCH_PIXELS // (height * width))):
        observation = observe(model, replace(model_input, tensor=batch), keep=(), edits=edits)
        logits += [row.copy() for row in observation.logits.float().cpu().numpy()]
    return logits


def _crop(model: TransXNet | Backbone, model_input: ModelInput, occluded: Tensor, masked: np.ndarray) -> np.ndarray:
    """What the model receives: uint8 (H, W, 3), the crop's own pixels where nothing is masked."""
    rgb = occluded.permute(1, 2, 0).numpy() * np.float32(model.spec.std) + np.float32(model.spec.mean)
    rgb = np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return np.where(masked[..., None], rgb, model_input.crop)
