"""Two photos on the same variants: what is generated for each, so that one sees the weights are dynamic."""

from __future__ import annotations

import numpy as np

from transxnet.draw.styles import result_geometry
from transxnet.draw.text import number
from transxnet.explain.kernels.change import kernel_change
from transxnet.explain.kernels.kernels import representatives
from transxnet.explain.ranks import spearman
from transxnet.results.kernels import KernelChange
from transxnet.study import Study

from ..cells import TILES, Json, heading, look_scale, map_cell, missing, photo, row, scale, tiles_cell, unfinished
from ..columns import Column
from ..examples import example_name
from ..i18n.translate import tr
from .kernels import GATE
from .scene import Scene

SECOND = "/second"  # behind a variant's name: the key of what it saw of the second photo


def photos(scene: Scene) -> Json:
    """Three columns: this photo, the second, and the difference. For each variant a row of kernels, one of gates
    and one of attention; what is not there yet, or cannot be, is one cell instead."""
    second = {column.name: column for column in scene.reference_columns}
    rows, images = [], {}
    for column in scene.columns:
        other = second.get(column.name, Column(column.name))
        if instead := unfinished(column) or unfinished(other):
            rows.append(row(column.title, "", instead, column.badge))
            continue
        if column.study.image == other.study.image:
            rows.append(row(column.title, "", [_text("compare_photos.same_photo")], column.badge))
            continue
        rows += [make(column, other) for make in (_kernels, _gates, _attention)]
        images[column.name + SECOND] = photo(other.study, scene.reference_image)
    second_title = tr(
        "compare_photos.second_photo",
        label=example_name(scene.reference_label) if scene.reference_label else tr("compare_photos.yours"),
    )
    heads = [
        heading(text, "", None)
        for text in (tr("compare_photos.first_photo"), second_title, tr("compare_photos.second_minus_first"))
    ]
    return {"heads": heads, "rows": rows, "images": images, "foot": tr("compare_photos.limits")}


def _kernels(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.kernels_row"), tr("compare_photos.kernels_row_hint", count=TILES)
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, [instead])
    moved = kernel_change(column.study.kernels, other.study.kernels)
    channels = representatives(column.study.kernels, TILES)
    first, second = moved.first[channels], moved.second[channels]
    cells = _tiles(title, column, [first, second, second - first], channels)
    cells[2] |= {"caption": _kernel_words(column.study, moved)}
    cells[2]["data"]["distance"] = repr(float(np.nanmedian(moved.distance)))
    if column.study.spec.idconv:  # far smaller than the kernels themselves, so on a scale of its own
        cells[2]["scale"] = scale([second - first], "weight", "RdBu_r", signed=True)
    return _row(title, hint, column, cells, scale([first, second], "weight", "RdBu_r", signed=True))


def _gates(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.gates_row"), tr("compare_photos.gates_row_hint")
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, [instead])
    if not column.study.spec.idconv:
        return _row(title, hint, column, [_text("kernels.not_generated")])
    channels = representatives(column.study.kernels, TILES)
    cells = _tiles(title, column, [c.study.kernels.gates[0][channels] for c in (column, other)], channels)
    moved = kernel_change(column.study.kernels, other.study.kernels).gate_change.mean()
    return _row(title, hint, column, [*cells, _text("compare_photos.gates_moved", gates=number(float(moved)))], GATE)


def _attention(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.attention_row"), tr("compare_photos.attention_row_hint")
    if instead := missing(column, "attention"):
        return _row(title, hint, column, [instead])
    one, two = column.study.attention, other.study.attention
    cells = [
        map_cell(column, found.mean, result_geometry(found), None, tr("maps.peak", peak=number(found.mean.max())), text)
        for found, text in zip((one, two), _alts(title.format(title=column.title)), strict=True)
    ]
    # marks of the point and clicks are in pixels of the first photo: the same place of the view in both
    cells[1] |= {"image": column.name + SECOND, "box": cells[0]["box"]}
    correlation, mean = spearman(one.mean, two.mean), number(float(np.abs(two.mean - one.mean).mean()))
    even = not np.isfinite(correlation)
    told = _text(
        "compare_photos.attention_uniform" if even else "compare_photos.attention_moved",
        correlation=f"{correlation:.2f}",
        mean=mean,
    )
    return _row(title, hint, column, [*cells, told], look_scale("attention", [column.study, other.study]))


def _kernel_words(study: Study, moved: KernelChange) -> str:
    if not study.spec.idconv:
        return tr("compare_photos.kernels_fixed")
    first, second = (number(float(np.nanmedian(away))) for away in moved.static_distance)
    apart = number(float(np.nanmedian(moved.distance)))
    told = tr("compare_photos.kernels_moved", apart=apart, first=first, second=second)
    return f"{told} {tr('compare_photos.kernels_random')}" if study.untrained else told


def _tiles(title: str, column: Column, values: list[np.ndarray], channels: np.ndarray) -> list[Json]:
    """One grid of the same channels for this photo, the second, and, where it is there, the difference."""
    names = [tr("kernels.tile", channel=i + 1) for i in channels]
    alts = [*_alts(title.format(title=column.title)), tr("compare_photos.second_minus_first")]
    return [tiles_cell(v, names, "", alt) for v, alt in zip(values, alts, strict=False)]


def _alts(what: str) -> list[str]:
    return [tr(text, what=what) for text in ("compare_photos.of_first", "compare_photos.of_second")]


def _row(title: str, hint: str, column: Column, cells: list[Json], bar: Json | None = None) -> Json:
    return row(title.format(title=column.title), hint, cells, column.badge, bar)


def _text(text: str, **values: str) -> Json:
    return {"kind": "text", "text": tr(text, **values)}
