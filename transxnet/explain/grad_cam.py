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

import torch

from ..results import Explanation
from .observe import Observation, pick_class

HEAD = "head"


def grad_cam(observation: Observation, class_index: int, stage: int | str = 4, target_words: str = "") -> Explanation:
    """Grad-CAM of one class on a stage's output: float32 (rows, columns), signed, in logits.

    class_index: the model's own output. stage: 1 to 4, the output of the stage's last block; or "head", the head's
    normalised features, where the map's sum plus the classifier's bias is the logit exactly (`numbers`: bias).
    target_words: how to call the class, e.g. "ladybug"; the index is added.
    numbers: logit; sum of the map; positive_share: of the absolute map, 0 to 1, NaN for an empty one.
    Raises OutOfRange for a class or stage that does not exist or was not kept, LensError without gradients.
    """
    observation.need_grad()
    class_index = pick_class(observation.model, class_index)
    if stage == HEAD:
        features = observation.trace.one("head").tensor
        layer, geometry = "head, normalised features", observation.units(4)
    else:
        stage, block = observation.locate(stage)
        features = observation.trace.one("stage", stage).tensor
        layer, geometry = f"stage {stage}, block {block}", observation.units(stage)
    logit = observation.logits[0, class_index]
    (slope,) = torch.autograd.grad(logit, features, retain_graph=True)  # (1, C, h, w), logits per unit of feature
    weights = slope.mean(dim=(2, 3), keepdim=True)  # (1, C, 1, 1)
    heat = (weights * features).sum(dim=1)[0].detach().cpu().numpy()  # (h, w)
    numbers = {"logit": float(logit.detach()), "sum": float(heat.sum()), "positive_share": _positive_share(heat)}
    if stage == HEAD:
        numbers["bias"] = float(observation.model.classifier[2].bias[class_index].detach())
    return Explanation(
        "grad_cam", observation.variant, layer, class_words(class_index, target_words), heat, True, "logit", geometry,
        numbers,
    )  # fmt: skip


def class_words(index: int, words: str = "") -> str:
    """ "ladybug (class 31)", or "class 31" where there are no words."""
    return f"{words} (class {index})" if words else f"class {index}"


def _positive_share(heat) -> float:
    total = float(abs(heat).sum())
    return float(heat.clip(min=0).sum()) / total if total else float("nan")
