"""Studies -> the kernels' view: what was generated, what that changed, the gates behind it, what the inspector needs.

The inspector (js/inspector.js) works in the browser alone: of every channel shown it gets the whole input and output of
IDConv, the learned kernels, gates and biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transxnet.draw.styles import key_numbers, layer_and_target
from transxnet.explain.kernels.kernels import representatives
from transxnet.results import Geometry, KernelSet

from ..cells import TILES, Json, floats, missing, scale, tiles_cell, transposed
from ..columns import Column
from ..i18n.translate import tr, tr_message, tr_section
from .scene import Scene

GATE = {"range": [0.0, 1.0], "signed": False, "root": False, "units": "gate", "colormap": "viridis"}
ARRAYS = (
    "inputs", "outputs", "kernels", "static_kernels", "learned_kernels", "gates", "bias_gates", "biases",
    "learned_biases",
)  # fmt: skip


ROWS = {  # row -> keys of its title and its hint
    "kernels": ("kernels.row_kernels", "kernels.row_kernels_hint"),
    "difference": ("kernels.row_difference", "kernels.row_difference_hint"),
    "gates": ("kernels.row_gates", "kernels.row_gates_hint"),
}
ALTS = {"kernels": "kernels.alt_kernels", "difference": "kernels.alt_difference", "gates": "kernels.alt_gates"}


@dataclass(frozen=True)
class Aspect:
    """One row: what is drawn of every channel, and the words of a cell.

    name: key of ROWS and ALTS. of_static: the key of the sentence in a cell's place where kernels are learned, not
    generated; None draws those as well. scale: one for all images; None takes the largest weight shown.
    """

    name: str
    values: Callable[[KernelSet], np.ndarray]  # (C, 7, 7)
    words: Callable[[KernelSet, bool], str]  # of the kernels and whether they are generated
    of_static: str | None = None
    scale: Json | None = None


def _kernel_words(k: KernelSet, generated: bool) -> str:
    count, layer = len(k.kernels), tr_message(layer_and_target(k))
    words = tr("kernels.of_channels", what=layer, shown=min(TILES, count), all=count)
    return words if generated else f"{words}, {tr('kernels.static_kernels')}"


def _gate_words(k: KernelSet, generated: bool) -> str:
    return tr("kernels.gate_entropy", entropy=k.gate_entropy.mean(), groups=len(k.gates))


ASPECTS = (
    Aspect("kernels", lambda k: k.kernels, _kernel_words),
    Aspect(
        "difference",
        lambda k: k.kernels - k.static_kernels,
        lambda k, generated: tr_message(key_numbers(k)),
        "kernels.not_generated",
    ),
    Aspect("gates", lambda k: k.gates[0], _gate_words, "", GATE),
)


def kernels(scene: Scene) -> Json:
    """The same channels stand in every row of a column. inspected: what js/inspector.js shows of a column, or None."""
    done = [c.study for c in scene.columns if c.study is not None and not missing(c, "kernels")]
    picked = {id(s): representatives(s.kernels, TILES) for s in done}

    def of(aspect: Aspect) -> tuple[str, str, Json, Callable[[Column], Json]]:
        maps = [aspect.values(s.kernels)[picked[id(s)]] for s in done if s.spec.idconv or aspect.of_static is None]
        shared = aspect.scale or scale(maps, "weight", "RdBu_r", signed=True)
        shared = shared | {"units": tr_message(shared["units"])}
        title, hint = ROWS[aspect.name]
        return tr(title), tr(hint), shared, lambda column: _cell(aspect, column, picked[id(column.study)])

    return transposed(scene.columns, [of(aspect) for aspect in ASPECTS], "kernels") | {
        "layout": "kernels",
        "words": tr_section("kernel_inspector"),
        "inspected": [_inspected(column) for column in scene.columns],
        "coming": [column.name for column in scene.columns if not column.finished],
    }


def _cell(aspect: Aspect, column: Column, channels: Sequence[int]) -> Json:
    k, generated = column.study.kernels, column.study.spec.idconv
    if aspect.of_static is not None and not generated:
        return {"kind": "text", "text": (tr(aspect.of_static) if aspect.of_static else "")}
    names = [tr("kernels.tile", channel=i + 1) for i in channels]
    alt = tr(ALTS[aspect.name], title=column.title)
    return tiles_cell(aspect.values(k)[channels], names, aspect.words(k, generated), alt)


def _inspected(column: Column) -> Json | None:
    """The same channels as the tiles', each with everything that its output is made of."""
    found = column.study.kernel_arithmetic if column.study is not None else None
    if found is None:
        return None
    return {
        "variant": column.name,
        "at": tr("kernels.layer", stage=found.stage, block=found.block),
        "generated": column.study.spec.idconv,
        "channels": found.channels.tolist(),
        "names": [tr("kernels.channel", channel=i + 1, title=column.title) for i in found.channels],
        "groups": found.gates.shape[1],
        "size": found.kernels.shape[-1],
        "units": _units(found.units),
        "base64": {name: floats(getattr(found, name)) for name in ARRAYS},
    }


def _units(g: Geometry) -> Json:
    rows, cols = g.grid
    return {
        "rows": rows, "cols": cols, "stride": g.stride, "origin": g.origin, "view": list(g.input_size),
        "box": list(g.crop_box), "upload": list(g.source_size),
    }  # fmt: skip
