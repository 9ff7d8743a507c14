"""Two photos on the same variants: what is generated for each, so that one sees the weights are dynamic."""

from __future__ import annotations

import numpy as np

from transxnet.draw.text import number
from transxnet.draw.views import geometry_of
from transxnet.explain.kernels.change import change
from transxnet.explain.kernels.kernels import representatives
from transxnet.explain.ranks import spearman
from transxnet.results.kernels import KernelChange
from transxnet.study import Study

from ..captions import NOT_GENERATED
from ..captions import compare as words
from ..captions.kernels import TILE
from ..captions.page import PEAK
from ..cells import TILES, Json, heading, look_scale, map_cell, missing, photo, row, scale, tiles_cell, unfinished
from ..columns import Column
from ..languages import say
from .kernels import GATE
from .scene import Scene

SECOND = "/second"  # behind a variant's name: the key of what it saw of the second photo


def photos(scene: Scene) -> Json:
    """Three columns: this photo, the second, and the difference. For each variant a row of kernels, one of gates
    and one of attention; what is not there yet, or cannot be, is one cell instead."""
    second = {column.name: column for column in scene.second}
    rows, images = [], {}
    for column in scene.columns:
        other = second.get(column.name, Column(column.name))
        if instead := unfinished(column) or unfinished(other):
            rows.append(row(column.title, "", instead, column.badge))
            continue
        if column.study.image == other.study.image:
            rows.append(row(column.title, "", [_text(words.SAME_PHOTO)], column.badge))
            continue
        rows += [make(column, other) for make in (_kernels, _gates, _attention)]
        images[column.name + SECOND] = photo(other.study, scene.other)
    second_title = say(words.SECOND_PHOTO).format(label=say(scene.other_label))
    heads = [heading(text, "", None) for text in (say(words.FIRST_PHOTO), second_title, say(words.SECOND_MINUS_FIRST))]
    return {"heads": heads, "rows": rows, "images": images, "foot": say(words.PHOTOS_FOOT)}


def _kernels(column: Column, other: Column) -> Json:
    title, hint = say(words.KERNELS_ROW), say(words.KERNELS_ROW_HINT).format(count=TILES)
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, [instead])
    moved = change(column.study.kernels, other.study.kernels)
    channels = representatives(column.study.kernels, TILES)
    first, second = moved.first[channels], moved.second[channels]
    cells = _tiles(title, column, [first, second, second - first], channels)
    cells[2] |= {"caption": _kernel_words(column.study, moved)}
    cells[2]["data"]["distance"] = repr(float(np.nanmedian(moved.distance)))
    if column.study.spec.idconv:  # far smaller than the kernels themselves, so on a scale of its own
        cells[2]["scale"] = scale([second - first], "weight", "RdBu_r", signed=True)
    return _row(title, hint, column, cells, scale([first, second], "weight", "RdBu_r", signed=True))


def _gates(column: Column, other: Column) -> Json:
    title, hint = say(words.GATES_ROW), say(words.GATES_ROW_HINT)
    if instead := missing(column, "kernels"):
        return _row(title, hint, column, [instead])
    if not column.study.spec.idconv:
        return _row(title, hint, column, [_text(NOT_GENERATED)])
    channels = representatives(column.study.kernels, TILES)
    cells = _tiles(title, column, [c.study.kernels.gates[0][channels] for c in (column, other)], channels)
    moved = change(column.study.kernels, other.study.kernels).gates.mean()
    return _row(title, hint, column, [*cells, _text(words.GATES_MOVED, gates=number(float(moved)))], GATE)


def _attention(column: Column, other: Column) -> Json:
    title, hint = say(words.ATTENTION_ROW), say(words.ATTENTION_ROW_HINT)
    if instead := missing(column, "attention"):
        return _row(title, hint, column, [instead])
    one, two = column.study.attention, other.study.attention
    cells = [
        map_cell(column, found.mean, geometry_of(found), None, say(PEAK).format(peak=number(found.mean.max())), text)
        for found, text in zip((one, two), _alts(title.format(title=column.title)), strict=True)
    ]
    # marks of the point and clicks are in pixels of the first photo: the same place of the view in both
    cells[1] |= {"image": column.name + SECOND, "box": cells[0]["box"]}
    correlation, mean = spearman(one.mean, two.mean), number(float(np.abs(two.mean - one.mean).mean()))
    even = not np.isfinite(correlation)
    told = _text(words.ATTENTION_EVEN if even else words.ATTENTION_MOVED, correlation=f"{correlation:.2f}", mean=mean)
    return _row(title, hint, column, [*cells, told], look_scale("attention", [column.study, other.study]))


def _kernel_words(study: Study, moved: KernelChange) -> str:
    if not study.spec.idconv:
        return say(words.KERNELS_FIXED)
    first, second = (number(float(np.nanmedian(away))) for away in moved.from_static)
    apart = number(float(np.nanmedian(moved.distance)))
    told = say(words.KERNELS_MOVED).format(apart=apart, first=first, second=second)
    return f"{told} {say(words.KERNELS_RANDOM)}" if study.untrained else told


def _tiles(title: str, column: Column, values: list[np.ndarray], channels: np.ndarray) -> list[Json]:
    """One grid of the same channels for this photo, the second, and, where it is there, the difference."""
    names = [say(TILE).format(channel=i + 1) for i in channels]
    alts = [*_alts(title.format(title=column.title)), say(words.SECOND_MINUS_FIRST)]
    return [tiles_cell(v, names, "", alt) for v, alt in zip(values, alts, strict=False)]


def _alts(what: str) -> list[str]:
    return [say(text).format(what=what) for text in (words.OF_FIRST, words.OF_SECOND)]


def _row(title: str, hint: str, column: Column, cells: list[Json], bar: Json | None = None) -> Json:
    return row(title.format(title=column.title), hint, cells, column.badge, bar)


def _text(text: str, **values: str) -> Json:
    return {"kind": "text", "text": say(text).format(**values)}
