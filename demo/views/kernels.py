"""Studies -> the rows of the kernels' view: kernels, what generating changed in them, and the gates behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transxnet.draw.views import what, worth_knowing
from transxnet.explain.kernels import representatives
from transxnet.results import KernelSet

from ..captions import NOT_GENERATED, STATIC_KERNELS
from ..cells import TILES, Json, missing, scale, tiles_cell, transposed
from ..columns import Column
from .scene import Scene

GATE = {"range": [0.0, 1.0], "signed": False, "root": False, "units": "gate", "colormap": "viridis"}


@dataclass(frozen=True)
class Aspect:
    """One row: what is drawn of every channel, and the words of a cell.

    of_static: the sentence in a cell's place where kernels are learned, not generated; None draws those as well.
    scale: one for all pictures; None takes the largest weight shown.
    """

    title: str
    hint: str
    values: Callable[[KernelSet], np.ndarray]  # (C, 7, 7)
    words: Callable[[KernelSet, bool], str]  # of the kernels and whether they are generated
    name: str
    of_static: str | None = None
    scale: Json | None = None


def _kernel_words(k: KernelSet, generated: bool) -> str:
    return f"{what(k)}: {TILES} of {len(k.kernels)} channels{'' if generated else f', {STATIC_KERNELS}'}"


def _gate_words(k: KernelSet, generated: bool) -> str:
    return f"gate entropy {k.gate_entropy.mean():.3f} of 1 (1: static), {len(k.gates)} groups"


ASPECTS = (
    Aspect("Generated kernels", "for this picture", lambda k: k.kernels, _kernel_words, "Kernels"),
    Aspect(
        "Difference from the static kernel", "generated minus uniform gates", lambda k: k.kernels - k.static,
        lambda k, generated: worth_knowing(k), "Differences from the static kernels", NOT_GENERATED,
    ),
    Aspect(
        "Gates of the first group", "the share each tap takes from learned kernel 1", lambda k: k.gates[0],
        _gate_words, "Gates of the first group", "", GATE,
    ),
)  # fmt: skip


def kernels(scene: Scene) -> Json:
    """The same channels stand in every row of a column."""
    done = [c.study for c in scene.columns if c.study is not None and not missing(c, "kernels")]
    picked = {id(s): representatives(s.kernels, TILES) for s in done}

    def of(aspect: Aspect) -> tuple[str, str, Json, Callable[[Column], Json]]:
        maps = [aspect.values(s.kernels)[picked[id(s)]] for s in done if s.spec.idconv or aspect.of_static is None]
        shared = aspect.scale or scale(maps, "weight", "RdBu_r", signed=True)
        return aspect.title, aspect.hint, shared, lambda column: _cell(aspect, column, picked[id(column.study)])

    return transposed(scene.columns, [of(aspect) for aspect in ASPECTS], "kernels")


def _cell(aspect: Aspect, column: Column, channels: Sequence[int]) -> Json:
    k, generated = column.study.kernels, column.study.spec.idconv
    if aspect.of_static is not None and not generated:
        return {"kind": "text", "text": aspect.of_static}
    names = [f"channel {i + 1}" for i in channels]
    return tiles_cell(aspect.values(k)[channels], names, aspect.words(k, generated), f"{aspect.name} of {column.title}")
