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

from ...errors import OutOfRange, UnknownName, quote
from ...messages import Message
from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ..observe import Observation, check_class_index, require_part
from .cam_layers import HEAD, CamLayer, parse_cam_layers

RECORD = "Name it to observe(..., modules=...)."


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
            "block", for the head "head", and the module.
        class_index: Of the model's output.
        stage: 1 to 4, or another layer as cam_layers.py names it. For "head", the head's normalized features, the map's
            sum plus the classifier's bias equals the logit (`numbers`: bias).
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
    if str(stage) == HEAD:
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
    """The recorded output of a stage's block, of the head, or of a module.

    Args:
        observation: Must have recorded it.
        stage: From 1, or another layer as cam_layers.py names it.
        block: From 1; None or 0 is the stage's last; for a stage only.

    Returns:
        Features with caption and positions.

    Raises:
        OutOfRange: For a layer that does not exist or was not recorded.
        PartMissing: For the head of another backbone than TransXNet.
    """
    (layer,) = parse_cam_layers(stage)
    if layer.module:
        return _module_layer(observation, layer)
    if layer.stage is None:
        require_part(observation, "head")
        return Layer("head, normalized features", observation.trace.find_one("head").tensor, observation.units(4))
    stage, block = observation.locate(layer.stage, layer.block or block)
    is_last = block == observation.locate(stage)[1]  # its output is the stage's
    record = (
        observation.trace.find_one("stage", stage) if is_last else observation.trace.find_one("block", stage, block)
    )
    return Layer(observation.layer_name(stage, block), record.tensor, observation.units(stage))


def _module_layer(observation: Observation, layer: CamLayer) -> Layer:
    """The output of a module, whose units lie at multiples of a power of two, or as those of a stage of its size."""
    if layer.module not in observation.modules:
        raise UnknownName("The output of {name} was not recorded.", remedy=RECORD, name=quote(layer.module))
    features = observation.modules[layer.module]
    grid, spec = tuple(features.shape[-2:]), observation.model.spec
    sides = tuple(observation.x.shape[-2:])
    strides = [(stride, 0.0) for stride in (1, 2, 4, 8, 16, 32, 64)] if hasattr(spec, "kernel_size") else []
    for stride, origin in (*zip(spec.strides, spec.origins, strict=True), *strides):
        if tuple(-(-side // stride) for side in sides) == grid and ".local_unit.proj" not in layer.module:
            return Layer(layer.module, features, observation.geometry(grid, stride, origin))
    raise OutOfRange(
        "The output of {name} has {rows} × {columns} values, whose positions in the image are unknown.",
        remedy="Choose a layer of a stage.", name=layer.module, rows=grid[0], columns=grid[1],
    )  # fmt: skip


@without_tf32()
def raw_maps(score: torch.Tensor, layers: Sequence[Layer]) -> list[np.ndarray]:
    """Grad-CAM of a score on several layers, by one backward pass.

    Args:
        score: Scalar of the forward pass, with its graph.
        layers: Of the same forward pass.

    Returns:
        L of each layer, float32 (h, w), signed, in the unit of the score.

    Raises:
        OutOfRange: The score does not depend on a layer.
    """
    features = [layer.features for layer in layers]
    gradients = torch.autograd.grad(score, features, retain_graph=True, allow_unused=True)
    maps = []
    if unused := next((layer for layer, gradient in zip(layers, gradients, strict=True) if gradient is None), None):
        raise OutOfRange("The logit does not depend on {name}.", remedy="Choose another layer.", name=unused.name)
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
