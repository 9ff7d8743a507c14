"""Tab Compare: two or three models on one image, or two images on the same models (compare_photos.py).

Models: predictions, one map each on one scale, differences and swipe comparison (compare_pairs.py), costs (costs.py),
published accuracy (chart.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transxnet.draw.styles import MAP_STYLES, display_factor, layer_and_target
from transxnet.draw.text import number
from transxnet.explain.sanity.agreement import attention_map, is_nearly_uniform
from transxnet.results import AttentionFrom, Explanation
from transxnet.study import Study

from ..cells import Json, bars, in_files, map_cell, missing, result_scale, scale, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_group, tr_message
from .chart import chart
from .compare_pairs import pairs
from .compare_photos import photos
from .costs import costs

MAPS = {
    "attention": "attention",
    "grad_cam": "grad_cam",
    "receptive_field": "erf",
}  # part of a study -> tab of that name


def compare(scene: Scene) -> Json:
    two_images = scene.state.two_images
    content = photos(scene) if two_images else variants(scene)
    return content | {"layout": "compare", "photos": two_images, "choose": _map_choice(scene)}


def comparable_map(name: str) -> str:
    """The name if its maps can be compared, otherwise the first of MAPS."""
    return name if name in MAPS else next(iter(MAPS))


def compared(name: str, studies: Sequence[Study | None]) -> str:
    """The map to compare: the requested one, unless fewer than two models have it and at least two have another.

    Args:
        name: Of the requested map.
        studies: One per model; None while it is computed, when it may have any map.
    """
    requested = comparable_map(name)
    candidates = (requested, *(part for part in MAPS if part != requested)) if len(studies) > 1 else (requested,)
    available = (part for part in candidates if sum(s is None or has(s, part) for s in studies) > 1)
    return next(available, requested)


def variants(scene: Scene) -> Json:
    """Predictions and maps in columns, then pairs, costs and the chart."""
    name = _compared(scene)
    maps = {c.name: compared_map(c.study, name) for c in scene.columns if c.study is not None and has(c.study, name)}
    common_scale = scale_of(name, [study for study in scene.studies if has(study, name)])

    def predictions(column: Column) -> Json:
        target = column.study.target
        note = tr_message(target.note)
        return {"kind": "bars", "predictions": bars(column.study), "chosen": target.index, "caption": note}

    def cell(column: Column) -> Json:
        result = maps.get(column.name)
        if result is None:
            return missing(column, name) or {"kind": "text", "text": ""}
        alt = f"{_title(name)}, {column.title}"
        cell = map_cell(column, result.heatmap, result.geometry, None, _map_caption(name, result), alt)
        return in_files(cell, "grad_cam_raw" if name == "grad_cam" else name, column.name)

    aspects = [(tr("compare.predictions"), tr("compare.predictions_hint"), None, predictions)]
    if maps:
        aspects.append((_title(name), f"{_instead(scene, name)} {tr('compare.maps_hint')}".strip(), common_scale, cell))
    layout = transposed(scene.columns, aspects)
    for head, column in zip(layout["heads"], scene.columns, strict=True):
        head["sub"] = _weights(column)  # costs are in a table of this tab
    return layout | {
        "units": _units(name, list(maps.values())) if maps else "",
        **pairs(scene, name, _title(name), maps, common_scale),
        "costs": costs(scene.columns, scene.timings),
        "chart": chart(scene.columns),
    }


def _compared(scene: Scene) -> str:
    return compared(scene.state.compared, [c.study for c in scene.columns if c.error is None])


def _instead(scene: Scene, name: str) -> str:
    """Why another map than the requested one is shown; '' if it is that one."""
    requested = comparable_map(scene.state.compared)
    return "" if name == requested else tr("compare.instead_of", asked=_title(requested), shown=_title(name))


def _map_caption(name: str, result: Explanation) -> str:
    exactly, (low, high) = tr_message(layer_and_target(result)), result.value_range
    if name == "attention" and is_nearly_uniform(result.heatmap):  # raw values would be drawn as one bright area
        return tr("compare.raw_uniform", exactly=exactly, keys=result.heatmap.size)
    return tr("compare.raw", exactly=exactly, low=number(low), high=number(high))


def _weights(column: Column) -> str:
    if column.study is None:
        return ""
    provenance = column.study.provenance
    note = "" if column.study.untrained else tr_message(provenance.note)  # random weights have a badge
    return tr("maps.weights", where=tr_message(provenance.short()), note=note).strip()


def has(study: Study, name: str) -> bool:
    return getattr(study, name) is not None and name not in study.missing


def compared_map(study: Study, name: str) -> Explanation:
    """The map as it is compared: raw values; a gradient is divided by its mean."""
    result = getattr(study, name)
    if isinstance(result, AttentionFrom):
        return attention_map(result)
    if name == "receptive_field":
        scaled = result.heatmap * result.heatmap.dtype.type(display_factor(result))
        return replace(result, heatmap=scaled, units=MAP_STYLES[name].units)
    return result


def scale_of(name: str, studies: Sequence[Study]) -> Json:
    """One scale for all maps of a kind; that of Grad-CAM is signed here."""
    if name == "grad_cam":
        return scale([study.grad_cam.heatmap for study in studies], MAP_STYLES[name].units, "RdBu_r", signed=True)
    return result_scale(name, studies)


def _map_choice(scene: Scene) -> Json:
    chips = [{"key": name, "label": _title(name), "pressed": name == _compared(scene)} for name in MAPS]
    switch = {"label": tr("compare.photos"), "pressed": scene.state.two_images}
    return {"label": tr("compare.map"), "chips": chips, "photos": switch}


def _title(name: str) -> str:
    return tr_group("tabs.")[MAPS[name]]


def _units(name: str, maps: Sequence[Explanation]) -> str:
    grids = sorted({result.geometry.grid for result in maps})
    return tr_group("compare.units_")[name].format(keys=", ".join(f"{w} × {h}" for h, w in grids))
