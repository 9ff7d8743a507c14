"""Every pair of variants' maps on what all of them saw: differences, how far they agree, and what the wipe draws.

The maps on the common pixels go to the browser once; it subtracts them itself, as the library does, in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from transxnet.draw.overlay import crop_source
from transxnet.draw.text import number
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.images import SourceImage
from transxnet.results import Explanation
from transxnet.results.differences import Comparison, Difference
from transxnet.study import Study

from ..cells import SHARP, Json, floats, jpeg, percent, png, scale
from ..columns import variant_title
from ..i18n.translate import tr, tr_lines
from .scene import Scene

COMMON = "common"  # the key of the photo's part that all of them saw


def pairs(scene: Scene, name: str, title: str, maps: Mapping[str, Explanation], shared: Json) -> Json:
    """`common`, with the photo it lies over; or `instead`, a sentence. maps: by variant. shared: their scale."""
    if instead := _incomparable(scene, name, maps):
        return {"instead": instead}
    found = compare_maps(maps)
    units = shared["units"]
    differences = _scale(found, units)
    return {
        "common": {
            "box": list(found.geometry.crop_box), "rows": found.geometry.grid[0], "cols": found.geometry.grid[1],
            "image": COMMON, "scale": shared, "maps": [floats(values) for values in found.agreement.values],
            "differences": _differences(found, title, differences, units),
            "table": _table(found, units),
            "wipe": _wipe(found, title),
        },
        "images": {COMMON: _photo(scene.image, found)},
    }  # fmt: skip


def _incomparable(scene: Scene, name: str, maps: Mapping[str, Explanation]) -> str:
    """Why there is nothing to subtract; '' where there is. While variants are on their way nothing is said."""
    if len(scene.columns) < 2:
        return tr("compare.alone")
    if len(maps) < 2:
        return tr("compare.too_few") if all(column.finished for column in scene.columns) else " "
    studies = [study for study in scene.studies if study.model in maps]
    if METHODS[name].about_class and len({study.target.wnid for study in studies}) > 1:
        return tr("compare.other_classes", answers=_answers(studies))
    return ""


def _answers(studies: Sequence[Study]) -> str:
    return "; ".join(f"{variant_title(study.model)}: {study.target.label}" for study in studies)


def _scale(found: Comparison, units: str) -> Json:
    """One for all pairs."""
    bar = scale([d.values for d in found.differences], units, "RdBu_r", signed=True)
    return bar | {"range": [-found.largest, found.largest]}


def _difference_words(d: Difference, units: str) -> str:
    said = tr(
        "compare.difference_caption",
        mean=number(d.mean_absolute),
        units=units,
        low=number(d.values.min()),
        high=number(d.values.max()),
    )
    return f"{tr('compare.only_rounding')} {said}" if d.only_rounding else said


def _differences(found: Comparison, title: str, bar: Json, units: str) -> Json:
    names = list(found.agreement.names)
    cells = [
        {
            "a": names.index(d.first), "b": names.index(d.second), "title": tr("compare.difference", **_titles(d)),
            "caption": _difference_words(d, units),
            "alt": tr("compare.difference_alt", map=title, **_titles(d)),
            "data": {
                "first": d.first, "second": d.second, "mean": repr(d.mean_absolute),
                "correlation": repr(d.correlation), "common": repr(d.overlap),
                "peak": repr(float(np.abs(d.values).max())),
            },
        }
        for d in found.differences
    ]  # fmt: skip
    return {"title": tr("compare.differences"), "sub": tr("compare.differences_hint"), "bar": bar, "cells": cells}


def _table(found: Comparison, units: str) -> Json:
    share = percent(found.agreement.share)
    return {
        "title": tr("compare.table"), "head": tr_lines("compare.table_head", share=share),
        "rows": [
            [
                tr("compare.pair", **_titles(d)), _or_even(d.correlation, f"{d.correlation:.2f}"),
                _or_even(d.overlap, percent(d.overlap)), f"{number(d.mean_absolute)} {units}",
            ]
            for d in found.differences
        ],
        "note": tr("compare.table_note", share=share),
    }  # fmt: skip


def _or_even(value: float, text: str) -> str:
    return tr("compare.uniform") if isnan(value) else text


def _wipe(found: Comparison, title: str) -> Json:
    """Which two, and what is said of them: {share} and {rest}, in percent, are filled in by the browser."""
    names = list(found.agreement.names)
    two = [
        {
            "a": names.index(d.first), "b": names.index(d.second), "label": tr("compare.pair", **_titles(d)),
            "slider": tr("compare.wipe_slider", **_titles(d)),
            "alt": tr("compare.wipe_alt", map=title, **_titles(d)),
            "value": tr("compare.wipe_value", share="{share}", rest="{rest}", **_titles(d)),
            "left": variant_title(d.first), "right": variant_title(d.second),
        }
        for d in found.differences
    ]  # fmt: skip
    return {"title": tr("compare.wipe"), "sub": tr("compare.wipe_hint"), "which": tr("compare.wipe_pair"), "pairs": two}


def _titles(d: Difference) -> dict[str, str]:
    return {"first": variant_title(d.first), "second": variant_title(d.second)}


def _photo(image: SourceImage, found: Comparison) -> Json:
    """The common part, sharp and at the size on which the maps are compared."""
    box, size = found.geometry.crop_box, found.geometry.grid
    sharp = tuple(round(side * SHARP / max(size)) for side in size)
    return {"src": jpeg(crop_source(image.rgb, box, sharp)), "seen": png(crop_source(image.rgb, box, size))}
