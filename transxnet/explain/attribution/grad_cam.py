"""Grad-CAM: which positions of a layer's features contributed to one class's logit.

Selvaraju et al., ICCV 2017 (arXiv 1610.02391): w_k = mean over positions of d y_c / d A_k, L = sum over k of w_k A_k,
y_c the logit of class c and A the layer's output. Equal to captum's LayerGradCam and, after a ReLU and before its
scaling, to pytorch-grad-cam. Difference from the paper: L is returned raw, because the paper's ReLU hides evidence
against the class; ReLU and scaling are left to drawing.

Limitations: the map has its layer's resolution and is first-order; a position may matter through interactions that one
gradient does not show. In early stages channels have little to do with classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...messages import Message
from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ..observe import Observation, check_class_index, require_part

HEAD = "head"


@dataclass(frozen=True)
class Layer:
    """A layer's output in one forward pass.

    Attributes:
        name: Caption of the layer.
        features: (1, C, h, w), with its graph.
        geometry: Positions of its units.
    """

    name: str
    features: torch.Tensor
    geometry: Geometry


def grad_cam(
    observation: Observation, class_index: int, stage: int | str = 4, class_name: str = "", block: int | None = None
) -> Explanation:
    """Grad-CAM of one class on a block's output: its contribution to the logit.

    Args:
        observation: With gradients; must have recorded the kind "stage", for a block that is not its stage's last
            "block", for the head "head".
        class_index: Of the model's output.
        stage: 1 to 4; or "head", the head's normalized features, where the map's sum plus the classifier's bias equals
            the logit (`numbers`: bias).
        class_name: For the caption, such as "ladybug"; the index is added.
        block: From 1; None or 0 is the stage's last.

    Returns:
        float32 (rows, columns), signed, in logits. `numbers`: logit; sum of the map; positive_share of the absolute
        map, 0 to 1, NaN for an empty one.

    Raises:
        OutOfRange: For a class, stage or block that does not exist or was not recorded.
        PartMissing: For the head of another backbone than TransXNet.
        LensError: Without gradients.
    """
    observation.require_grad()
    class_index = check_class_index(observation.model, class_index)
    (explanation,) = class_maps(observation, class_index, [get_layer(observation, stage, block)], class_name)
    if stage == HEAD:
        explanation.numbers["bias"] = float(observation.model.get_classifier().bias[class_index].detach())
    return explanation


def class_maps(
    observation: Observation, class_index: int, layers: Sequence[Layer], class_name: str = ""
) -> list[Explanation]:
    """Grad-CAM of one class on several layers, by one backward pass.

    Args:
        observation: With gradients.
        class_index: Of the model's output.
        layers: Of this observation.
        class_name: For the caption.

    Returns:
        The map of each layer, as of `grad_cam`.
    """
    logit = observation.logits[0, class_index]
    target, numbers = class_caption(class_index, class_name), {"logit": float(logit.detach())}
    return [
        Explanation(
            "grad_cam", observation.model_name, layer.name, target, heatmap, True, "logit", layer.geometry,
            numbers | map_sums(heatmap),
        )
        for layer, heatmap in zip(layers, raw_maps(logit, layers), strict=True)
    ]  # fmt: skip


def get_layer(observation: Observation, stage: int | str, block: int | None = None) -> Layer:
    """The recorded output of a stage's block, or of the head.

    Args:
        observation: Must have recorded it.
        stage: From 1, or "head".
        block: From 1; None or 0 is the stage's last; ignored for the head.

    Returns:
        Features with caption and positions.

    Raises:
        OutOfRange: For a layer that does not exist or was not recorded.
        PartMissing: For the head of another backbone than TransXNet.
    """
    if stage == HEAD:
        require_part(observation, "head")
        return Layer("head, normalized features", observation.trace.find_one("head").tensor, observation.units(4))
    stage, block = observation.locate(stage, block)
    is_last = block == observation.locate(stage)[1]  # its output is the stage's
    record = (
        observation.trace.find_one("stage", stage) if is_last else observation.trace.find_one("block", stage, block)
    )
    return Layer(observation.layer_name(stage, block), record.tensor, observation.units(stage))


@without_tf32()
def raw_maps(score: torch.Tensor, layers: Sequence[Layer]) -> list[np.ndarray]:
    """Grad-CAM of a score on several layers, by one backward pass.

    Args:
        score: Scalar of the forward pass, with its graph.
        layers: Of the same forward pass.

    Returns:
        L of each layer, float32 (h, w), signed, in the unit of the score.
    """
    gradients = torch.autograd.grad(score, [layer.features for layer in layers], retain_graph=True)
    maps = []
    for gradient, layer in zip(gradients, layers, strict=True):  # (1, C, h, w), logits per unit of feature
        weights = gradient.mean(dim=(2, 3), keepdim=True)  # (1, C, 1, 1)
        maps.append((weights * layer.features).sum(dim=1)[0].detach().cpu().numpy())  # (h, w)
    return maps


def map_sums(heatmap: np.ndarray) -> dict[str, float]:
    """Sum and positive share of a signed map.

    Args:
        heatmap: Any shape.

    Returns:
        sum, and positive_share: the part of the absolute sum that is positive, 0 to 1; NaN for an empty map.
    """
    total = float(abs(heatmap).sum())
    share = float(heatmap.clip(min=0).sum()) / total if total else float("nan")
    return {"sum": float(heatmap.sum()), "positive_share": share}


def class_caption(index: int, name: str = "") -> str:
    """Caption of a class: "ladybug (class 31)", or "class 31" without a name.

    Args:
        index: Of the model's output.
        name: Of the class.

    Returns:
        The caption.
    """
    template = "{label} (class {index})" if name else "class {index}"
    return Message(template, label=name, index=index)
