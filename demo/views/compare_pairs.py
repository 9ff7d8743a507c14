"""Pairs of models in tab Compare: differences of their maps, agreement, swipe comparison.

The maps on the common pixels are sent to the browser once; it subtracts them in float32, as the library does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from transxnet.draw.overlay import crop_source
from transxnet.draw.text import number, percent
from transxnet.explain.attribution.methods import METHODS
from transxnet.explain.sanity.agreement import compare_maps
from transxnet.images import SourceImage
from transxnet.results import Explanation
from transxnet.results.differences import Comparison, Difference
from transxnet.study import Study

from ..cells import SHARP, Json, floats, jpeg, png, scale
from ..columns import Scene, model_title
from ..i18n.translate import tr, tr_lines

COMMON = "common"  # key of the image region that all models received


def pairs(scene: Scene, name: str, title: str, maps: Mapping[str, Explanation], shared: Json) -> Json:
    """`common`, with the image region below it; or `instead`, a sentence.

    Args:
        scene: Of the tab.
        name: Of the map in a study.
        title: Of the map.
        maps: By model.
        shared: Their scale.
    """
    if instead := _incomparable(scene, name, maps):
        return {"instead": instead}
    comparison = compare_maps(maps)
    units = shared["units"]
    differences = _scale(comparison, units)
    return {
        "common": {
            "box": list(comparison.geometry.crop_box),
            "rows": comparison.geometry.grid[0], "cols": comparison.geometry.grid[1],
            "image": COMMON, "scale": shared, "maps": [floats(values) for values in comparison.agreement.values],
            "differences": _differences(comparison, title, differences, units),
            "table": _table(comparison, units),
            "wipe": _wipe(comparison, title),
        },
        "images": {COMMON: _photo(scene.image, comparison)},
    }  # fmt: skip


def _incomparable(scene: Scene, name: str, maps: Mapping[str, Explanation]) -> str:
    """Why there is no difference to show; '' if there is one, " " while models are loading."""
    if len(scene.columns) < 2:
        return tr("compare.alone")
    if len(maps) < 2:
        return tr("compare.too_few") if all(column.finished for column in scene.columns) else " "
    studies = [study for study in scene.studies if study.model in maps]
    if METHODS[name].about_class and len({study.target.wnid for study in studies}) > 1:
        return tr("compare.other_classes", classes=_target_classes(studies))
    return ""


def _target_classes(studies: Sequence[Study]) -> str:
    return "; ".join(f"{model_title(study.model)}: {study.target.label}" for study in studies)


def _scale(comparison: Comparison, units: str) -> Json:
    """One scale for the differences of all pairs."""
    bar = scale([d.values for d in comparison.differences], units, "RdBu_r", signed=True)
    return bar | {"range": [-comparison.largest, comparison.largest]}


def _difference_caption(d: Difference, units: str) -> str:
    caption = tr(
        "compare.difference_caption",
        mean=number(d.mean_absolute),
        units=units,
        low=number(d.values.min()),
        high=number(d.values.max()),
    )
    return f"{tr('compare.only_rounding')} {caption}" if d.only_rounding else caption


def _differences(comparison: Comparison, title: str, bar: Json, units: str) -> Json:
    names = list(comparison.agreement.names)
    cells = [
        {
            "a": names.index(d.first), "b": names.index(d.second), "title": tr("compare.difference", **_titles(d)),
            "caption": _difference_caption(d, units),
            "file": {"row": "difference", "column": f"{d.first}/{d.second}"},
            "alt": tr("compare.difference_alt", map=title, **_titles(d)),
            "data": {
                "first": d.first, "second": d.second, "mean": repr(d.mean_absolute),
                "correlation": repr(d.correlation), "common": repr(d.overlap),
                "peak": repr(float(np.abs(d.values).max())),
            },
        }
        for d in comparison.differences
    ]  # fmt: skip
    return {"title": tr("compare.differences"), "sub": tr("compare.differences_hint"), "bar": bar, "cells": cells}


def _table(comparison: Comparison, units: str) -> Json:
    share = percent(comparison.agreement.share, 0)
    return {
        "title": tr("compare.table"), "head": tr_lines("compare.table_head", share=share),
        "rows": [
            [
                tr("compare.pair", **_titles(d)), _or_uniform(d.correlation, f"{d.correlation:.2f}"),
                _or_uniform(d.overlap, percent(d.overlap, 0)), f"{number(d.mean_absolute)} {units}",
            ]
            for d in comparison.differences
        ],
        "note": tr("compare.table_note", share=share),
    }  # fmt: skip


def _or_uniform(value: float, text: str) -> str:
    return tr("compare.uniform") if isnan(value) else text


def _wipe(comparison: Comparison, title: str) -> Json:
    """The pairs and their text; the browser fills in {share} and {rest}, in percent."""
    names = list(comparison.agreement.names)
    swipe_pairs = [
        {
            "a": names.index(d.first), "b": names.index(d.second), "label": tr("compare.pair", **_titles(d)),
            "slider": tr("compare.wipe_slider", **_titles(d)),
            "alt": tr("compare.wipe_alt", map=title, **_titles(d)),
            "value": tr("compare.wipe_value", share="{share}", rest="{rest}", **_titles(d)),
            "left": model_title(d.first), "right": model_title(d.second),
        }
        for d in comparison.differences
    ]  # fmt: skip
    return {
        "title": tr("compare.wipe"),
        "sub": tr("compare.wipe_hint"),
        "which": tr("compare.wipe_pair"),
        "pairs": swipe_pairs,
    }


def _titles(d: Difference) -> dict[str, str]:
    return {"first": model_title(d.first), "second": model_title(d.second)}


def _photo(image: SourceImage, comparison: Comparison) -> Json:
    """The common region: of the source image, and at the resolution of the comparison."""
    box, size = comparison.geometry.crop_box, comparison.geometry.grid
    sharp = tuple(round(side * SHARP / max(size)) for side in size)
    return {"src": jpeg(crop_source(image.rgb, box, sharp)), "input": png(crop_source(image.rgb, box, size))}
