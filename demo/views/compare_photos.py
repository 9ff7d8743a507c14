"""Two images on the same models in tab Compare: kernels, mixing weights and attention of each."""

from __future__ import annotations

import numpy as np

from transxnet.draw.styles import result_geometry
from transxnet.draw.text import number
from transxnet.explain.kernels.change import kernel_change
from transxnet.explain.kernels.kernels import representatives
from transxnet.explain.ranks import spearman
from transxnet.results.kernels import KernelChange
from transxnet.study import Study

from ..cells import (
    TILES,
    Json,
    heading,
    in_files,
    map_cell,
    missing,
    photo,
    result_scale,
    row,
    scale,
    tiles_cell,
    unfinished,
)
from ..columns import Column, Scene
from ..i18n.translate import tr
from .kernels import GATE

SECOND = "/second"  # suffix of a model's name: key of its crop of the reference image


def photos(scene: Scene) -> Json:
    """Three columns: this image, the reference image, the difference; kernels, mixing weights and attention per model.

    An unfinished model is one cell instead.
    """
    references = {column.name: column for column in scene.reference_columns}
    rows, images = [], {}
    for column in scene.columns:
        other = references.get(column.name, Column(column.name))
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
        label=scene.reference_label or tr("compare_photos.yours"),
    )
    heads = [
        heading(text, "", None)
        for text in (tr("compare_photos.first_photo"), second_title, tr("compare_photos.second_minus_first"))
    ]
    return {"heads": heads, "rows": rows, "images": images, "foot": tr("compare_photos.limits")}


def _kernels(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.kernels_row"), tr("compare_photos.kernels_row_hint", count=TILES)
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, "kernels", [instead])
    change = kernel_change(column.study.kernels, other.study.kernels)
    channels = representatives(column.study.kernels, TILES)
    first, second = change.first[channels], change.second[channels]
    cells = _tiles(title, column, [first, second, second - first], channels)
    cells[2] |= {"caption": _kernel_caption(column.study, change)}
    cells[2]["data"]["distance"] = repr(float(np.nanmedian(change.distance)))
    if column.study.spec.idconv:  # far smaller than the kernels, so it has its own scale
        cells[2]["scale"] = scale([second - first], "weight", "RdBu_r", signed=True)
    return _row(title, hint, column, "kernels", cells, scale([first, second], "weight", "RdBu_r", signed=True))


def _gates(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.gates_row"), tr("compare_photos.gates_row_hint")
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, "gates", [instead])
    if not column.study.spec.idconv:
        return _row(title, hint, column, "gates", [_text("kernels.not_generated")])
    channels = representatives(column.study.kernels, TILES)
    cells = _tiles(title, column, [c.study.kernels.gates[0][channels] for c in (column, other)], channels)
    difference = kernel_change(column.study.kernels, other.study.kernels).gate_change.mean()
    moved = _text("compare_photos.gates_moved", gates=number(float(difference)))
    return _row(title, hint, column, "gates", [*cells, moved], GATE)


def _attention(column: Column, other: Column) -> Json:
    title, hint = tr("compare_photos.attention_row"), tr("compare_photos.attention_row_hint")
    if instead := missing(column, "attention"):
        return _row(title, hint, column, "attention", [instead])
    first, second = column.study.attention, other.study.attention
    cells = [
        map_cell(
            column,
            attention.mean,
            result_geometry(attention),
            None,
            tr("maps.peak", peak=number(attention.mean.max())),
            text,
        )
        for attention, text in zip((first, second), _alts(title.format(title=column.title)), strict=True)
    ]
    # the query position is in pixels of the first image: the same position of the model input in both
    cells[1] |= {"image": column.name + SECOND, "box": cells[0]["box"]}
    correlation, mean = spearman(first.mean, second.mean), number(float(np.abs(second.mean - first.mean).mean()))
    uniform = not np.isfinite(correlation)
    agreement = _text(
        "compare_photos.attention_uniform" if uniform else "compare_photos.attention_moved",
        correlation=f"{correlation:.2f}",
        mean=mean,
    )
    return _row(
        title, hint, column, "attention", [*cells, agreement], result_scale("attention", [column.study, other.study])
    )


def _kernel_caption(study: Study, change: KernelChange) -> str:
    if not study.spec.idconv:
        return tr("compare_photos.kernels_fixed")
    first, second = (number(float(np.nanmedian(distances))) for distances in change.static_distance)
    apart = number(float(np.nanmedian(change.distance)))
    caption = tr("compare_photos.kernels_moved", apart=apart, first=first, second=second)
    return f"{caption} {tr('compare_photos.kernels_random')}" if study.untrained else caption


def _tiles(title: str, column: Column, values: list[np.ndarray], channels: np.ndarray) -> list[Json]:
    """Grids of the same channels: this image, the reference image and, if given, the difference."""
    names = [tr("kernels.tile", channel=i + 1) for i in channels]
    alts = [*_alts(title.format(title=column.title)), tr("compare_photos.second_minus_first")]
    return [tiles_cell(v, names, "", alt) for v, alt in zip(values, alts, strict=False)]


def _alts(what: str) -> list[str]:
    return [tr(text, what=what) for text in ("compare_photos.of_first", "compare_photos.of_second")]


def _row(title: str, hint: str, column: Column, part: str, cells: list[Json], bar: Json | None = None) -> Json:
    """part: of the row in downloaded files; the first cell is of this image, the second of the reference image."""
    keys = column.name, f"second/{column.name}"
    cells = [*(in_files(cell, part, key) for cell, key in zip(cells, keys, strict=False)), *cells[2:]]
    return row(title.format(title=column.title), hint, cells, column.badge, bar)


def _text(text: str, **values: str) -> Json:
    return {"kind": "text", "text": tr(text, **values)}
