"""The effective receptive field by pathway: what one unit sees, and what only modulates how it sees.

Through IDConv's gates (global pooling), OSRA's weights and GroupNorm's statistics every pixel reaches every unit, so
the ERF of erf.py mixes two things. Here it is recomputed with one of these tensors detached: all values stay the same,
and no gradient passes through it. What the map then loses had come that way.

    full        nothing detached: erf.py's map
    kernels     IDConv's generated kernels and biases detached
    attention   OSRA's weights after softmax detached: values still pass along them, so the field stays wide
    norm        mean and 1/std of every GroupNorm detached
    all         all three detached: what is left passes through features, along fixed weights

This project's own; the maps are otherwise those of Luo et al. (arXiv 1701.04128). GroupNorm with detached statistics
uses its explicit form, so values agree with the full pass up to rounding: "NAME/logit_change" reports the difference.

Limitations: ratios do not add up to 1 and may exceed it. Pathways multiply each other (a detached norm also scales what
the gates pass on), and as absolute gradients are summed, detaching a part can even enlarge the map. `all` is not what a
model without these parts would see: their values, computed from the whole image, are still in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from torch import nn

from ...backbones.module import Backbone
from ...errors import PartMissing
from ...images import ModelInput
from ...layers import OSRA, GroupNorm1, IDConv, StaticConv
from ...model import TransXNet
from ...results import Explanation
from ...results.erf import ErfPathways
from ..ablation.edits import detach
from ..observe import observe
from ..ranks import spearman, top_overlap
from .erf import receptive_field


@dataclass(frozen=True)
class Pathway:
    """One map with a single modulator detached.

    Attributes:
        name: Key of the map.
        title: Of the map.
        kinds: Kinds of tap that are detached.
        layer: Kind of layer that has them.
        missing: Why a model without such layers has no map.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    layer: type[nn.Module]
    missing: str

    def is_in(self, model: nn.Module) -> bool:
        """Whether the model has such layers; the kernels of a StaticConv are learned, and no modulator."""
        return any(isinstance(m, self.layer) and not isinstance(m, StaticConv) for m in model.modules())


SINGLE = (
    Pathway("kernels", "Kernels and biases detached", ("kernels", "biases"), IDConv,
            "Nothing to detach: this variant generates no kernels, its own are the same for every image."),
    Pathway("attention", "Attention detached", ("attention",), OSRA,
            "Nothing to detach: this variant has no attention."),
    Pathway("norm", "Norm statistics detached", ("norm_statistics",), GroupNorm1,
            "Nothing to detach: this variant has no norm over the whole image."),
)  # fmt: skip
FULL, ALL = "full", "all"
TITLES = {FULL: "Full", **{pathway.name: pathway.title for pathway in SINGLE}, ALL: "All detached: what is seen"}


def erf_pathways(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    stage: int = 3,
    position: tuple[float, float] | None = None,
    unit: tuple[int, int] | None = None,
    rectify: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ErfPathways:
    """The ERF of one unit of a stage's output, in full and with modulators detached: one forward pass per map.

    Args:
        model: In evaluation mode.
        model_input: Prepared for this model.
        stage: From 1.
        position: (x, y) in pixels of the upright source image, takes the nearest unit.
        unit: (row, column) from 0, instead of a position; with neither, the unit in the middle.
        rectify: Use the ReLU of the gradient instead of its absolute value.
        progress: Called with (maps done, maps in total) after each map.

    Returns:
        Maps float32 (H, W), raw, sum of features per unit of normalized input. `numbers`, for each NAME of a map:
        total; ratio, of its total to that of the full map; r20, r30, r50, r99, of the raw kind; logit_change, the
        largest difference of a logit from the full pass (float32 rounding); and for all but the full one rank,
        Spearman's correlation with the full map over all pixels, and overlap, intersection over union of the highest
        10% of pixels of the two.

    Raises:
        OutOfRange: For a stage, position or unit that does not exist.
        PartMissing: For a model that has none of these parts, such as another backbone.
    """
    missing = {pathway.name: pathway.missing for pathway in SINGLE if not pathway.is_in(model)}
    if len(missing) == len(SINGLE):
        raise PartMissing("There is nothing to detach: neither generated kernels, nor OSRA, nor TransXNet's norms.")
    passes = dict(_passes(missing))
    maps: dict[str, Explanation] = {}
    logits: dict[str, np.ndarray] = {}
    for name, kinds in passes.items():
        observation = observe(model, model_input, ("stage",), grad=True, edits=detach(kinds))
        logits[name] = observation.logits.detach().cpu().numpy()
        maps[name] = receptive_field(observation, stage, position, unit, rectify, keep_graph=False)
        if progress is not None:
            progress(len(maps), len(passes))
    if ALL not in passes:
        missing[ALL] = "The same map as the one before: only one part of this variant can be detached."
    return ErfPathways(observation.model_name, maps, TITLES, missing, _numbers(maps, logits))


def _passes(missing: dict[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name of a map, detached kinds), the full one first."""
    available = [pathway for pathway in SINGLE if pathway.name not in missing]
    yield FULL, ()
    yield from ((pathway.name, pathway.kinds) for pathway in available)
    if len(available) > 1:
        yield ALL, tuple(kind for pathway in available for kind in pathway.kinds)


def _numbers(maps: dict[str, Explanation], logits: dict[str, np.ndarray]) -> dict[str, float]:
    full, numbers = maps[FULL], {}
    full_total = full.numbers["total"]
    for name, erf in maps.items():
        total = erf.numbers["total"]
        values = {"total": total, "ratio": total / full_total if full_total else float("nan")}
        values |= {key: erf.numbers[key] for key in ("r20", "r30", "r50", "r99")}
        values["logit_change"] = float(np.abs(logits[name] - logits[FULL]).max())
        if name != FULL:
            values |= {"rank": spearman(erf.heatmap, full.heatmap), "overlap": top_overlap(erf.heatmap, full.heatmap)}
        numbers |= {f"{name}/{key}": value for key, value in values.items()}
    return numbers
