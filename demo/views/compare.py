"""Two or three variants on one photo, or two photos on the same variants.

Variants: what each answers, one map of each on one scale, differences and a wipe (compare_pairs.py), costs (costs.py)
and published accuracy (chart.py). Two photos: compare_photos.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.draw.styles import MAP_STYLES, display_factor, layer_and_target
from transxnet.draw.text import number
from transxnet.explain.sanity.agreement import attention_map, is_nearly_uniform
from transxnet.results import AttentionFrom, Explanation
from transxnet.study import Study

from ..cells import Json, bars, look_scale, map_cell, missing, scale, transposed
from ..columns import Column
from ..i18n.tabs import TABS
from ..i18n.translate import tr, tr_message
from .chart import chart
from .compare_pairs import pairs
from .compare_photos import photos
from .costs import costs
from .scene import Scene

MAPS = {"attention": "attention", "grad_cam": "grad_cam", "receptive_field": "erf"}  # part of a study -> view named so
UNITS = {  # map -> key of what its values are
    "attention": "compare.units_attention", "grad_cam": "compare.units_grad_cam",
    "receptive_field": "compare.units_receptive_field",
}  # fmt: skip


def compare(scene: Scene) -> Json:
    both = scene.session.photos
    found = photos(scene) if both else variants(scene)
    return found | {"layout": "compare", "photos": both, "choose": _choose(scene)}


def asked_for(name: str) -> str:
    """A part of the studies whose maps can be compared; a name that is none of them is the first."""
    return name if name in MAPS else next(iter(MAPS))


def compared(name: str, studies: Sequence[Study | None]) -> str:
    """The part whose maps are compared: the one asked for, unless fewer than two variants have it and two have another.

    studies: None is on its way, and may have it.
    """
    wanted = asked_for(name)
    order = (wanted, *(other for other in MAPS if other != wanted)) if len(studies) > 1 else (wanted,)
    enough = (part for part in order if sum(s is None or has(s, part) for s in studies) > 1)
    return next(enough, wanted)


def variants(scene: Scene) -> Json:
    """heads and rows as in other views, then the pairs, the costs and the chart."""
    name = _compared(scene)
    maps = {c.name: drawn(c.study, name) for c in scene.columns if c.study is not None and has(c.study, name)}
    shared = scale_of(name, [study for study in scene.studies if has(study, name)])

    def answered(column: Column) -> Json:
        s = column.study
        return {"kind": "bars", "answers": bars(s), "chosen": s.target.index, "caption": tr_message(s.target.note)}

    def cell(column: Column) -> Json:
        found = maps.get(column.name)
        if found is None:
            return missing(column, name) or {"kind": "text", "text": ""}
        alt = f"{_title(name)}, {column.title}"
        return map_cell(column, found.heatmap, found.geometry, None, _map_words(name, found), alt)

    aspects = [(tr("compare.predictions"), tr("compare.predictions_hint"), None, answered)]
    if maps:
        aspects.append((_title(name), f"{_instead(scene, name)} {tr('compare.maps_hint')}".strip(), shared, cell))
    found = transposed(scene.columns, aspects)
    for head, column in zip(found["heads"], scene.columns, strict=True):
        head["sub"] = _weights(column)  # what it costs stands in a table here
    return found | {
        "units": _units(name, list(maps.values())) if maps else "",
        **pairs(scene, name, _title(name), maps, shared),
        "costs": costs(scene.columns, scene.timings),
        "chart": chart(scene.columns),
    }


def _compared(scene: Scene) -> str:
    return compared(scene.session.compared, [c.study for c in scene.columns if c.error is None])


def _instead(scene: Scene, name: str) -> str:
    """Why another map stands here than the one asked for; '' where it is that one."""
    wanted = asked_for(scene.session.compared)
    told = {"asked": _title(wanted), "shown": _title(name)}
    return "" if name == wanted else tr("compare.instead_of", **told)


def _map_words(name: str, found: Explanation) -> str:
    low, high = found.value_range
    if name == "attention" and is_nearly_uniform(found.heatmap):  # drawn raw, it is one bright sheet
        return tr("compare.raw_uniform", exactly=tr_message(layer_and_target(found)), keys=found.heatmap.size)
    return tr("compare.raw", exactly=tr_message(layer_and_target(found)), low=number(low), high=number(high))


def _weights(column: Column) -> str:
    if column.study is None:
        return ""
    p = column.study.provenance  # that it is untrained is said beside its name
    return tr(
        "maps.weights", where=tr_message(p.short()), note="" if column.study.untrained else tr_message(p.note)
    ).strip()


def has(study: Study, name: str) -> bool:
    return getattr(study, name) is not None and name not in study.missing


def drawn(study: Study, name: str) -> Explanation:
    """The map as it is compared: raw, but for a gradient, which is a multiple of its own mean."""
    found = getattr(study, name)
    if isinstance(found, AttentionFrom):
        return attention_map(found)
    if name == "receptive_field":
        scaled = found.heatmap * found.heatmap.dtype.type(display_factor(found))
        return Explanation(
            found.method, found.model, found.layer, found.target, scaled, found.signed, MAP_STYLES[name].units,
            found.geometry, found.numbers,
        )  # fmt: skip
    return found


def scale_of(name: str, studies: Sequence[Study]) -> Json:
    """One scale for all maps of a kind; Grad-CAM keeps its sign here."""
    if name == "grad_cam":
        return scale([study.grad_cam.heatmap for study in studies], MAP_STYLES[name].units, "RdBu_r", signed=True)
    return look_scale(name, studies)


def _choose(scene: Scene) -> Json:
    chips = [{"key": name, "label": _title(name), "pressed": name == _compared(scene)} for name in MAPS]
    switch = {"label": tr("compare.photos"), "pressed": scene.session.photos}
    return {"label": tr("compare.map"), "chips": chips, "photos": switch}


def _title(name: str) -> str:
    return tr(TABS[MAPS[name]])


def _units(name: str, maps: Sequence[Explanation]) -> str:
    grids = sorted({found.geometry.grid for found in maps})
    return tr(UNITS[name], keys=", ".join(f"{w} × {h}" for h, w in grids))
