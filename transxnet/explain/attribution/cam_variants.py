"""Variants of Grad-CAM: evidence for one class against another, and the maps of several stages combined.

Contrast: Grad-CAM (Selvaraju et al., arXiv 1610.02391) of the score y_a - y_b, as in Contrastive explanations
(Prabhushankar et al., ICIP 2020, arXiv 2008.00178), which back-propagates a loss between the two classes where this
uses the difference of the logits. Grad-CAM is linear in the score, so this map is the difference of the two raw maps.

Combination: M_s = max(L_s, 0) / max over positions of L_s for stage s, each placed by its own geometry (units at
origin + stride * i), and their mean at every position. pytorch-grad-cam combines several layers this way, with three
differences: here units keep their positions, no map's minimum is subtracted, and the mean is not scaled again.
fusion="max" takes the largest value instead, as LayerCAM does (Jiang et al., TIP 2021); LayerCAM has other maps (one
weight per position) and amplifies shallow stages by tanh(2 M), which is left out here: shares stay shares.

Limitations: the contrast describes neither class alone; where it is zero, both may have the same evidence. The
combination loses the logits, as each stage counts the same however small its map; the raw maps are returned with it.
Its fine detail comes from early stages, whose channels know little of classes: detail is not evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ...errors import OutOfRange, PartMissing, check_name
from ...messages import Message
from ...results import Explanation, Geometry
from ...results.combined import CombinedMaps
from ..observe import Observation, check_class_index
from .grad_cam import class_caption, class_maps, get_layer, map_sums, raw_maps

FUSIONS = {"mean": np.mean, "max": np.max}


def contrast(
    observation: Observation,
    class_index: int,
    contrast_index: int | None = None,
    stage: int | str = 4,
    class_name: str = "",
    contrast_name: str = "",
    block: int | None = None,
) -> Explanation:
    """Grad-CAM of y_a - y_b on a block's output; positive values are evidence for a.

    Args:
        observation: As for `grad_cam`.
        class_index: a, of the model's output.
        contrast_index: b, of the model's output; None is the best prediction other than a.
        stage: As for `grad_cam`.
        class_name: Of a, for the caption.
        contrast_name: Of b, for the caption.
        block: As for `grad_cam`.

    Returns:
        float32 (rows, columns), signed, in logits. `numbers`: logit and contrast_logit; margin, their difference;
        contrast_index; sum of the map and positive_share as for `grad_cam`.

    Raises:
        OutOfRange: For a class, stage or block that does not exist or was not recorded, or twice the same class.
        PartMissing: For the head of another backbone than TransXNet, or a model with one class.
        LensError: Without gradients.
    """
    observation.require_grad()
    class_index = check_class_index(observation.model, class_index)
    if contrast_index is None:
        contrast_index = _best_other_class(observation, class_index)
    contrast_index = check_class_index(observation.model, contrast_index)
    if class_index == contrast_index:
        message = Message("Class {index} cannot be contrasted with itself.", index=class_index)
        raise OutOfRange(message, remedy="Choose two classes.")
    layer = get_layer(observation, stage, block)
    logits = observation.logits[0]
    (heatmap,) = raw_maps(logits[class_index] - logits[contrast_index], [layer])
    logit, contrast_logit = float(logits[class_index].detach()), float(logits[contrast_index].detach())
    numbers = {
        "logit": logit, "contrast_logit": contrast_logit, "margin": logit - contrast_logit,
        "contrast_index": float(contrast_index),
    }  # fmt: skip
    target = Message(
        "{target} against {contrast}",
        target=class_caption(class_index, class_name), contrast=class_caption(contrast_index, contrast_name),
    )  # fmt: skip
    return Explanation(
        "contrast", observation.model_name, layer.name, target, heatmap, True, "logit", layer.geometry,
        numbers | map_sums(heatmap),
    )  # fmt: skip


def combined_layers(
    observation: Observation,
    class_index: int,
    layers: Sequence[int | str] | None = None,
    class_name: str = "",
    fusion: str = "mean",
) -> CombinedMaps:
    """Grad-CAM of one class on several layers, combined on the grid of the finest.

    Args:
        observation: With gradients; must have recorded the layers.
        class_index: Of the model's output.
        layers: Stages from 1, or other layers as cam_layers.py names them, each once; None is every stage.
        class_name: For the caption.
        fusion: "mean" or "max" over layers.

    Returns:
        float32 (rows, columns), 0 to 1, share of each layer's maximum: 1 where all layers (fusion "mean") or any of
        them ("max") have their maximum. A layer whose map is nowhere positive counts as zeros. `stage_maps`: the raw
        maps, in logits, in the order of `layers`, as `grad_cam` returns them. `numbers`: logit; peak, the combination's
        maximum; empty, how many layers are nowhere positive; largest_L, the maximum of layer L, in logits.

    Raises:
        OutOfRange: For a class or layer that does not exist or was not recorded, a repeated layer, or no layer.
        UnknownName: For another fusion.
        LensError: Without gradients.
    """
    check_name(fusion, FUSIONS, "Maps cannot be combined by {name}.")
    layers = observation.stages if layers is None else layers
    stage_maps = _layer_maps(observation, class_index, layers, class_name)
    finest = min((stage_map.geometry for stage_map in stage_maps), key=lambda geometry: geometry.stride)
    heatmap = FUSIONS[fusion]([_resample(_shares(m.heatmap), m.geometry, finest) for m in stage_maps], axis=0)
    largest = {stage: float(m.heatmap.max()) for stage, m in zip(layers, stage_maps, strict=True)}
    numbers = {
        "logit": stage_maps[0].numbers["logit"], "peak": float(heatmap.max()),
        "empty": float(sum(value <= 0 for value in largest.values())),
    } | {f"largest_{stage}": value for stage, value in largest.items()}  # fmt: skip
    return CombinedMaps(
        "cam_stages", observation.model_name, _layers_caption(layers, stage_maps, fusion), stage_maps[0].target,
        heatmap, False, "share of each stage's largest value", finest, numbers, stage_maps,
    )  # fmt: skip


def _layer_maps(
    observation: Observation, class_index: int, layers: Sequence[int | str], class_name: str
) -> tuple[Explanation, ...]:
    """grad_cam on each layer, by one backward pass."""
    observation.require_grad()
    class_index = check_class_index(observation.model, class_index)
    if not layers or len({str(layer) for layer in layers}) < len(layers):
        raise OutOfRange("A combination takes each layer once, and at least one.", remedy="E.g. (2, 3, 4).")
    recorded = [get_layer(observation, layer) for layer in layers]
    return tuple(class_maps(observation, class_index, recorded, class_name))


def _shares(heatmap: np.ndarray) -> np.ndarray:
    """M of the definition, 0 to 1; zeros where nothing is positive."""
    largest = heatmap.max()
    return heatmap.clip(min=0) / largest if largest > 0 else np.zeros_like(heatmap)


def _resample(heatmap: np.ndarray, geometry: Geometry, finest: Geometry) -> np.ndarray:
    """Bilinear interpolation at the finest grid's units, edge values extended outwards.

    A TransXNet's coarse units are among the fine ones, so no value is lost; another backbone's may lie between them.
    """
    row_weights, col_weights = (_interpolation_weights(geometry, finest, axis) for axis in (0, 1))  # (fine, coarse)
    return (row_weights @ heatmap @ col_weights.T).astype(np.float32)


def _interpolation_weights(geometry: Geometry, finest: Geometry, axis: int) -> np.ndarray:
    """Of one axis, the weight of each unit at each unit of the finest grid: (fine units, units), rows sum to 1."""
    coarse, fine = (g.origin + g.stride * np.arange(g.grid[axis]) for g in (geometry, finest))  # model-input pixels
    return np.stack([np.interp(fine, coarse, unit) for unit in np.eye(len(coarse))], axis=1)


def _best_other_class(observation: Observation, class_index: int) -> int:
    """The best prediction other than this class."""
    if observation.model.num_classes < 2:
        message = Message("{model} has one class only.", model=observation.model_name)
        raise PartMissing(message, remedy="A contrast needs two.")
    logits = observation.logits[0].detach().clone()
    logits[class_index] = -torch.inf
    return int(logits.argmax())


def _layers_caption(layers: Sequence[int | str], maps: Sequence[Explanation], fusion: str) -> str:
    """ "stages 2, 3 and 4, mean", "stage 2, mean", or "network.4.1 and head, mean"."""
    if not all(isinstance(layer, int) for layer in layers):
        return Message("{layers}, " + fusion, layers=_enumeration([m.layer for m in maps]))
    if len(layers) == 1:
        return Message("stage {stage}, " + fusion, stage=layers[0])
    return Message("stages {stages}, " + fusion, stages=_enumeration(list(map(str, layers))))


def _enumeration(texts: Sequence[str]) -> str:
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else texts[0]
