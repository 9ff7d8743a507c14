"""Tab Kernels: generated kernels, their difference from the static kernel, mixing weights, data of the inspector.

The kernel inspector runs in the browser: for every channel shown it receives input and output of IDConv, learned
kernels, mixing weights and biases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transxnet.draw.styles import key_numbers, layer_and_target
from transxnet.explain.kernels.kernels import representatives
from transxnet.results import Geometry, KernelSet

from ..cells import TILES, Json, floats, in_files, missing, scale, tiles_cell, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_group, tr_message

GATE = {"range": [0.0, 1.0], "signed": False, "root": False, "units": "gate", "colormap": "viridis"}
ARRAYS = (
    "inputs", "outputs", "kernels", "static_kernels", "learned_kernels", "gates", "bias_gates", "biases",
    "learned_biases",
)  # fmt: skip


@dataclass(frozen=True)
class Aspect:
    """One row of the tab.

    Attributes:
        name: Of its text: kernels.row_NAME, kernels.alt_NAME.
        values: What is drawn: kernels -> (C, 7, 7).
        caption: Of a cell, from the kernels and whether they are generated.
        static_key: Key of the sentence shown for learned kernels; "" shows nothing, None draws them too.
        scale: The same for all images; None is symmetric about 0 up to the largest value shown.
    """

    name: str
    values: Callable[[KernelSet], np.ndarray]
    caption: Callable[[KernelSet, bool], str]
    static_key: str | None = None
    scale: Json | None = None


def _kernel_caption(kernels: KernelSet, generated: bool) -> str:
    count, layer = len(kernels.kernels), tr_message(layer_and_target(kernels))
    caption = tr("kernels.of_channels", what=layer, shown=min(TILES, count), all=count)
    return caption if generated else f"{caption}, {tr('kernels.static_kernels')}"


def _gate_caption(kernels: KernelSet, generated: bool) -> str:
    return tr("kernels.gate_entropy", entropy=kernels.gate_entropy.mean(), groups=len(kernels.gates))


ASPECTS = (
    Aspect("kernels", lambda kernels: kernels.kernels, _kernel_caption),
    Aspect(
        "difference",
        lambda kernels: kernels.kernels - kernels.static_kernels,
        lambda kernels, generated: tr_message(key_numbers(kernels)),
        "kernels.not_generated",
    ),
    Aspect("gates", lambda kernels: kernels.gates[0], _gate_caption, "", GATE),
)


def kernels(scene: Scene) -> Json:
    """The tab; all rows of a column show the same channels. `inspected` is the data of the inspector per column."""
    studies = [c.study for c in scene.columns if c.study is not None and not missing(c, "kernels")]
    channels = {id(study): representatives(study.kernels, TILES) for study in studies}

    def row_of(aspect: Aspect) -> tuple[str, str, Json, Callable[[Column], Json]]:
        shown_studies = [study for study in studies if study.spec.idconv or aspect.static_key is None]
        maps = [aspect.values(study.kernels)[channels[id(study)]] for study in shown_studies]
        common = aspect.scale or scale(maps, "weight", "RdBu_r", signed=True)
        common = common | {"units": tr_message(common["units"])}
        text = tr_group("kernels.row_")
        title, hint = text[aspect.name], text[f"{aspect.name}_hint"]
        return title, hint, common, lambda column: _cell(aspect, column, channels[id(column.study)])

    return transposed(scene.columns, [row_of(aspect) for aspect in ASPECTS], "kernels") | {
        "layout": "kernels",
        "strings": tr_group("kernel_inspector."),
        "inspected": [_inspected(column) for column in scene.columns],
        "coming": [column.name for column in scene.columns if not column.finished],
    }


def _cell(aspect: Aspect, column: Column, channels: Sequence[int]) -> Json:
    generated = column.study.spec.idconv
    if aspect.static_key is not None and not generated:
        return {"kind": "text", "text": tr(aspect.static_key) if aspect.static_key else ""}
    names = [tr("kernels.tile", channel=i + 1) for i in channels]
    alt = tr_group("kernels.alt_")[aspect.name].format(title=column.title)
    kernels = column.study.kernels
    cell = tiles_cell(aspect.values(kernels)[channels], names, aspect.caption(kernels, generated), alt)
    return in_files(cell, aspect.name, column.name)


def _inspected(column: Column) -> Json | None:
    """The channels of the tiles, each with everything that its output is computed from."""
    arithmetic = column.study.kernel_arithmetic if column.study is not None else None
    if arithmetic is None:
        return None
    return {
        "variant": column.name,
        "at": tr("kernels.layer", stage=arithmetic.stage, block=arithmetic.block),
        "generated": column.study.spec.idconv,
        "channels": arithmetic.channels.tolist(),
        "names": [tr("kernels.channel", channel=i + 1, title=column.title) for i in arithmetic.channels],
        "groups": arithmetic.gates.shape[1],
        "size": arithmetic.kernels.shape[-1],
        "units": _units(arithmetic.units),
        "base64": {name: floats(getattr(arithmetic, name)) for name in ARRAYS},
    }


def _units(geometry: Geometry) -> Json:
    rows, cols = geometry.grid
    return {
        "rows": rows, "cols": cols, "stride": geometry.stride, "origin": geometry.origin,
        "input_size": list(geometry.input_size), "box": list(geometry.crop_box), "upload": list(geometry.source_size),
    }  # fmt: skip
