"""The receptive field taken apart: what one unit sees, and what only modulates how it sees.

Through IDConv's gates (global pooling), OSRA's weights and GroupNorm's statistics every pixel touches every unit, so
the field of erf.py mixes two things. Here it is computed again with one of them held still, that is detached: every
value stays what it was, and no gradient passes. What the map then loses had come that way.

    full        nothing held: erf.py's map
    kernels     IDConv's generated kernels and generated biases held
    attention   OSRA's weights after softmax held: values still travel along them, so the field stays wide
    norm        mean and 1/std of every GroupNorm held
    seen        all three held: what is left passes through features, along fixed weights

No other tool offers this; the maps are those of Luo et al. (arXiv 1701.04128) otherwise. GroupNorm with its statistics
held takes its explicit form, so values agree with the full pass to rounding: "NAME/logit_change" says how well.

What it must not be read as: shares that add up. The ways multiply each other (a held norm also scales what the gates
pass on), and as absolute gradients are summed, a part held can even make the map larger. And `seen` is not what a
model without these parts would see: their values, made from the whole image, are still in it.
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
from ..ablation.edits import detached
from ..observe import observe
from ..ranks import spearman, top_overlap
from .erf import receptive_field


@dataclass(frozen=True)
class Pathway:
    """One map: the kinds of tap held still, and why a model has nothing of the kind ("" where it has)."""

    name: str
    title: str
    held: tuple[str, ...]
    lacks: Callable[[nn.Module], str]


def _no_kernels(model: nn.Module) -> str:
    if any(isinstance(m, IDConv) and not isinstance(m, StaticConv) for m in model.modules()):
        return ""
    return "Nothing to hold: this variant generates no kernels, its own are the same for every image."


def _no_attention(model: nn.Module) -> str:
    return "" if _has(model, OSRA) else "Nothing to hold: this variant has no attention."


def _no_norm(model: nn.Module) -> str:
    return "" if _has(model, GroupNorm1) else "Nothing to hold: this variant has no norm over the whole image."


def _has(model: nn.Module, kind: type[nn.Module]) -> bool:
    return any(isinstance(module, kind) for module in model.modules())


SINGLE = (
    Pathway("kernels", "Kernels and biases held", ("kernels", "biases"), _no_kernels),
    Pathway("attention", "Attention held", ("attention",), _no_attention),
    Pathway("norm", "Norm statistics held", ("norm_statistics",), _no_norm),
)
FULL, SEEN = "full", "seen"
TITLES = {FULL: "Full", **{part.name: part.title for part in SINGLE}, SEEN: "All held: what is seen"}


def erf_pathways(
    model: TransXNet | Backbone,
    model_input: ModelInput,
    stage: int = 3,
    position: tuple[float, float] | None = None,
    unit: tuple[int, int] | None = None,
    rectify: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ErfPathways:
    """The field of one unit of a stage's output, whole and with its modulators held: one pass of the model a map.

    stage, point, unit, rectify: as `receptive_field` takes them. Maps: float32 (H, W), raw, sum of features per unit of
    normalized input. numbers, for each NAME of a map: total; share, of the full map's total; r20, r30, r50, r99, sound;
    logit_change, the largest difference of a logit from the full pass (float32's rounding); and for all but the full
    one rank, Spearman's correlation with the full map over all pixels, and overlap, intersection over union of the
    highest 10 % of pixels of the two.
    Raises OutOfRange as receptive_field does, PartMissing for a model that has none of these parts,
    such as a backbone.
    """
    lacking = {part.name: part.lacks(model) for part in SINGLE if part.lacks(model)}
    if len(lacking) == len(SINGLE):
        raise PartMissing("There is nothing to hold still: neither generated kernels, nor OSRA, nor TransXNet's norms.")
    passes = dict(_passes(lacking))
    maps: dict[str, Explanation] = {}
    logits: dict[str, np.ndarray] = {}
    for name, held in passes.items():
        seen = observe(model, model_input, ("stage",), grad=True, edits=detached(held))
        logits[name] = seen.logits.detach().cpu().numpy()
        maps[name] = receptive_field(seen, stage, position, unit, rectify, keep_graph=False)
        if progress is not None:
            progress(len(maps), len(passes))
    if SEEN not in passes:
        lacking[SEEN] = "The same map as the one before: only one part of this variant can be held."
    return ErfPathways(seen.model_name, maps, TITLES, lacking, _numbers(maps, logits))


def _passes(lacking: dict[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name of a map, kinds held), the full one first."""
    there = [part for part in SINGLE if part.name not in lacking]
    yield FULL, ()
    yield from ((part.name, part.held) for part in there)
    if len(there) > 1:
        yield SEEN, tuple(kind for part in there for kind in part.held)


def _numbers(maps: dict[str, Explanation], logits: dict[str, np.ndarray]) -> dict[str, float]:
    full, numbers = maps[FULL], {}
    for name, found in maps.items():
        total, whole = found.numbers["total"], full.numbers["total"]
        one = {"total": total, "share": total / whole if whole else float("nan")}
        one |= {key: found.numbers[key] for key in ("r20", "r30", "r50", "r99")}
        one["logit_change"] = float(np.abs(logits[name] - logits[FULL]).max())
        if name != FULL:
            one |= {"rank": spearman(found.heatmap, full.heatmap), "overlap": top_overlap(found.heatmap, full.heatmap)}
        numbers |= {f"{name}/{key}": value for key, value in one.items()}
    return numbers
