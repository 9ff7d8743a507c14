"""Two questions built on Grad-CAM: why this class and not that one, and what do the stages say together.

Contrast: Grad-CAM (Selvaraju et al., arXiv 1610.02391) of the score y_a - y_b, as in Contrastive explanations
(Prabhushankar et al., ICIP 2020, arXiv 2008.00178), which back-propagates a loss between the two classes where here it
is the difference of the logits. Grad-CAM is linear in the score, so this map is the difference of the two raw maps.

Combination: M_s = max(L_s, 0) / max over positions of L_s for stage s, each placed by its own geometry (units at
origin + stride * i), and over them the mean at every place. That is what pytorch-grad-cam makes of several layers, with
three differences: units stand where they are, no map's smallest value is subtracted, and the mean is not scaled again.
fusion="max" takes the largest value instead, as LayerCAM does (Jiang et al., TIP 2021); LayerCAM has other maps (a
weight a position) and pushes shallow stages up by tanh(2 M), which is left out here: shares stay shares.

What they must not be read as: the contrast says nothing about either class alone; where it is zero, both may have been
raised alike. The combination has lost the logits, as each stage counts the same however little its map holds; the raw
maps stay beside it. Its fine detail comes from early stages, whose channels know little of classes: detail, not proof.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ...errors import OutOfRange, UnknownName, quote
from ...results import Explanation, Geometry
from ...results.combined import CombinedMaps
from ..observe import Observation, pick_class
from .grad_cam import class_words, layer_at, raw_maps, sums

STAGES = (1, 2, 3, 4)
FUSIONS = {"mean": np.mean, "max": np.max}


def contrast(
    observation: Observation,
    class_index: int,
    other_index: int | None = None,
    stage: int | str = 4,
    target_words: str = "",
    other_words: str = "",
    block: int | None = None,
) -> Explanation:
    """Grad-CAM of y_a - y_b on a block's output: float32 (rows, columns), signed, in logits; positive speaks for a.

    class_index: a; other_index: b, None is the model's best answer that is not a; both the model's own outputs. stage,
    block and what must be kept: as for `grad_cam`. target_words, other_words: how to call the classes.
    numbers: logit and other_logit; margin, their difference; other_index; sum of the map and positive_share as for
    `grad_cam`.
    Raises OutOfRange for a class, stage or block that does not exist or was not kept, or for twice the same class;
    LensError without gradients.
    """
    observation.need_grad()
    one = pick_class(observation.model, class_index)
    other = _contrast_target(observation, one) if other_index is None else pick_class(observation.model, other_index)
    if one == other:
        raise OutOfRange(f"Class {one} cannot be contrasted with itself.", remedy="Choose two classes.")
    layer = layer_at(observation, stage, block)
    scores = observation.logits[0]
    (heatmap,) = raw_maps(scores[one] - scores[other], [layer])
    logit, other_logit = float(scores[one].detach()), float(scores[other].detach())
    numbers = {"logit": logit, "other_logit": other_logit, "margin": logit - other_logit, "other_index": float(other)}
    return Explanation(
        "contrast", observation.model_name, layer.words,
        f"{class_words(one, target_words)} against {class_words(other, other_words)}",
        heatmap, True, "logit", layer.geometry, numbers | sums(heatmap),
    )  # fmt: skip


def combined_stages(
    observation: Observation,
    class_index: int,
    stages: Sequence[int] = STAGES,
    target_words: str = "",
    fusion: str = "mean",
) -> CombinedMaps:
    """Grad-CAM of one class on several stages, combined on the grid of the finest: float32 (rows, columns), 0 to 1.

    Units of the combination: share of each stage's largest value; 1 where all stages (fusion "mean") or any of them
    ("max") are at their largest. A stage whose map is nowhere positive counts as zeros. parts: the raw maps, logits,
    in the order of `stages`, as `grad_cam` gives them. Needs the kind "stage".
    numbers: logit; peak, the combination's largest value; empty, how many stages are nowhere positive; largest_S, the
    largest raw value of stage S, in logits.
    Raises OutOfRange for a class or stage that does not exist or was not kept, twice the same stage or none,
    UnknownName for another fusion, LensError without gradients.
    """
    if fusion not in FUSIONS:
        raise UnknownName(
            f"Maps cannot be combined by {quote(fusion)}.", remedy=f"Choose one of: {', '.join(FUSIONS)}."
        )
    parts = _on_stages(observation, class_index, stages, target_words)
    finest = min((part.geometry for part in parts), key=lambda geometry: geometry.stride)
    heatmap = FUSIONS[fusion]([_on_grid(_shares(part.heatmap), part.geometry, finest) for part in parts], axis=0)
    largest = {stage: float(part.heatmap.max()) for stage, part in zip(stages, parts, strict=True)}
    numbers = {
        "logit": parts[0].numbers["logit"], "peak": float(heatmap.max()),
        "empty": float(sum(value <= 0 for value in largest.values())),
    } | {f"largest_{stage}": value for stage, value in largest.items()}  # fmt: skip
    return CombinedMaps(
        "cam_stages", observation.model_name, _stage_words(stages, fusion), parts[0].target, heatmap, False,
        "share of each stage's largest value", finest, numbers, parts,
    )  # fmt: skip


def _on_stages(
    observation: Observation, class_index: int, stages: Sequence[int], target_words: str
) -> tuple[Explanation, ...]:
    """grad_cam on each stage, by one backward pass."""
    observation.need_grad()
    class_index = pick_class(observation.model, class_index)
    if not stages or len(set(stages)) < len(stages):
        raise OutOfRange("A combination takes each stage once, and at least one.", remedy="E.g. (2, 3, 4).")
    layers = [layer_at(observation, observation.locate(stage)[0]) for stage in stages]
    logit = observation.logits[0, class_index]
    words, number = class_words(class_index, target_words), {"logit": float(logit.detach())}
    return tuple(
        Explanation(
            "grad_cam", observation.model_name, layer.words, words, heatmap, True, "logit", layer.geometry,
            number | sums(heatmap),
        )
        for layer, heatmap in zip(layers, raw_maps(logit, layers), strict=True)
    )  # fmt: skip


def _shares(heatmap: np.ndarray) -> np.ndarray:
    """M of the definition: 0 to 1; zeros where nothing is positive."""
    largest = heatmap.max()
    return heatmap.clip(min=0) / largest if largest > 0 else np.zeros_like(heatmap)


def _on_grid(heatmap: np.ndarray, geometry: Geometry, finest: Geometry) -> np.ndarray:
    """The map at the finest grid's units, bilinearly between its own, edge values outwards.

    A TransXNet's coarse units are among the fine ones, so nothing of it is lost; a backbone's may lie between them.
    """
    down, along = (_between(geometry, finest, axis) for axis in (0, 1))  # (fine rows, rows), (fine columns, columns)
    return (down @ heatmap @ along.T).astype(np.float32)


def _between(geometry: Geometry, finest: Geometry, axis: int) -> np.ndarray:
    """Of one axis: what share each unit has in each of the finest grid's, (fine units, units), rows sum to 1."""
    own, fine = (grid.origin + grid.stride * np.arange(grid.grid[axis]) for grid in (geometry, finest))  # view pixels
    return np.stack([np.interp(fine, own, unit) for unit in np.eye(len(own))], axis=1)


def _contrast_target(observation: Observation, class_index: int) -> int:
    """The best answer that is not this class."""
    if observation.model.num_classes < 2:
        raise OutOfRange(f"{observation.model_name} has one class only.", remedy="A contrast needs two.")
    logits = observation.logits[0].detach().clone()
    logits[class_index] = -torch.inf
    return int(logits.argmax())


def _stage_words(stages: Sequence[int], fusion: str) -> str:  # "stages 2, 3 and 4, mean"
    *first, last = map(str, stages)
    return f"stages {', '.join(first)} and {last}, {fusion}" if first else f"stage {last}"
