"""Grad-CAM: which places of a layer's features raised one class's score.

Selvaraju et al., ICCV 2017 (arXiv 1610.02391): w_k = mean over positions of d y_c / d A_k, L = sum over k of w_k A_k,
with y_c the logit of class c and A the layer's output. Equal to captum's LayerGradCam and, after a ReLU and before
its scaling, to pytorch-grad-cam. Where it differs from the paper: L is returned raw, as the paper's ReLU hides what
spoke against the class; ReLU and scaling are the drawing's choices.

What it must not be read as: a map at its layer's resolution, and a first-order one; a place may matter through
interactions that one gradient does not show. In the early stages channels and classes have little to do with
each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ..observe import Observation, need_part, pick_class

HEAD = "head"


@dataclass(frozen=True)
class Layer:
    """A layer to look at: its words, its output in this pass, (1, C, h, w), and where its units sit."""

    words: str
    features: torch.Tensor
    geometry: Geometry


def grad_cam(
    observation: Observation,
    class_index: int,
    stage: int | str = 4,
    target_words: str = "",
    block: int | None = None,
) -> Explanation:
    """Grad-CAM of one class on a block's output: float32 (rows, columns), signed, in logits.

    class_index: the model's own output. stage: 1 to 4; or "head", the head's normalized features, where the map's sum
    plus the classifier's bias is the logit exactly (`numbers`: bias). block: from 1; None or 0 is the stage's last.
    target_words: how to call the class, e.g. "ladybug"; the index is added. Needs the kind "stage", for a block that
    is not the stage's last "block", for the head "head".
    numbers: logit; sum of the map; positive_share: of the absolute map, 0 to 1, NaN for an empty one.
    Raises OutOfRange for a class, stage or block that does not exist or was not kept, PartMissing for a backbone's
    head,
    LensError without gradients.
    """
    observation.need_grad()
    class_index = pick_class(observation.model, class_index)
    layer = layer_at(observation, stage, block)
    logit = observation.logits[0, class_index]
    (heatmap,) = raw_maps(logit, [layer])
    numbers = {"logit": float(logit.detach())} | sums(heatmap)
    if stage == HEAD:
        numbers["bias"] = float(observation.model.get_classifier().bias[class_index].detach())
    return Explanation(
        "grad_cam", observation.model_name, layer.words, class_words(class_index, target_words), heatmap, True, "logit",
        layer.geometry, numbers,
    )  # fmt: skip


def layer_at(observation: Observation, stage: int | str, block: int | None = None) -> Layer:
    """A stage's block, or the head (which has no blocks).

    Raises OutOfRange where there is none or it was not kept, PartMissing for a backbone's head.
    """
    if stage == HEAD:
        need_part(observation, "head")
        return Layer("head, normalized features", observation.trace.one("head").tensor, observation.units(4))
    stage, block = observation.locate(stage, block)
    last = block == observation.locate(stage)[1]  # its output is the stage's
    record = observation.trace.one("stage", stage) if last else observation.trace.one("block", stage, block)
    return Layer(observation.layer_words(stage, block), record.tensor, observation.units(stage))


@without_tf32()
def raw_maps(score: torch.Tensor, layers: Sequence[Layer]) -> list[np.ndarray]:
    """L of `score`, a scalar of the pass, on every layer, (h, w) each: one backward pass for all of them."""
    slopes = torch.autograd.grad(score, [layer.features for layer in layers], retain_graph=True)
    maps = []
    for slope, layer in zip(slopes, layers, strict=True):  # (1, C, h, w), logits per unit of feature
        weights = slope.mean(dim=(2, 3), keepdim=True)  # (1, C, 1, 1)
        maps.append((weights * layer.features).sum(dim=1)[0].detach().cpu().numpy())  # (h, w)
    return maps


def sums(heatmap: np.ndarray) -> dict[str, float]:
    """Of a signed map: its sum, and positive_share, what of the absolute map lies above zero; NaN for an empty one."""
    total = float(abs(heatmap).sum())
    share = float(heatmap.clip(min=0).sum()) / total if total else float("nan")
    return {"sum": float(heatmap.sum()), "positive_share": share}


def class_words(index: int, words: str = "") -> str:
    """ "ladybug (class 31)", or "class 31" where there are no words."""
    return f"{words} (class {index})" if words else f"class {index}"
