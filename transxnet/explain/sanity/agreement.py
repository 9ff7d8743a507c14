"""Do maps agree? Rank correlation and overlap of the highest values, between methods and between variants.

Correlation: Spearman's, of signed values. Overlap: intersection over union of the tenth of the pixels that each map
ranks highest. Both are taken on pixels, after each value has been put where its unit is; a coarse map is as smooth
there as its grid, so two coarse maps of one grid agree more easily than two fine ones.

What it must not be read as: a proof. Maps that agree may all be wrong, and maps that ask different questions (where a
class is seen, what a unit depends on) have no reason to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...errors import LensError
from ...results import Explanation, Geometry
from ...results.placement import interpolate, interpolate_at
from ...results.sanity_checks import Agreement
from ..ranks import highest, intersection_over_union, standard_ranks

SHARE = 0.1  # of the pixels: the highest
Box = tuple[float, float, float, float]


def agreement(maps: Mapping[str, Explanation], share: float = SHARE) -> Agreement:
    """Maps of one view, by several methods, compared on the view's pixels.

    Raises LensError for no maps, or maps of different views.
    """
    views = {(found.geometry.input_size, tuple(found.geometry.crop_box)) for found in maps.values()}
    if len(views) != 1:
        raise LensError(
            f"Methods are compared on one view, and these maps are of {len(views)}.",
            remedy="Compare variants with agreement_between_variants.",
        )
    ((_, box),) = views
    return _compare(tuple(maps), [interpolate(found.heatmap, found.geometry) for found in maps.values()], box, share)


def agreement_between_variants(maps: Mapping[str, Explanation], share: float = SHARE) -> Agreement:
    """Maps of one upload, by several variants whose views may differ, compared on what all of them saw.

    The common part of the crops is sampled at the pixel size of the coarsest view, each map bilinearly between its
    units' centres; `values` are raw, so that one scale can serve all.
    Raises LensError for no maps, maps of different uploads, or views that have nothing in common.
    """
    geometries = [found.geometry for found in maps.values()]
    if len({geometry.source_size for geometry in geometries}) != 1:
        raise LensError("These maps are not of one image.", remedy="Compare maps of the same upload.")
    box = _common([geometry.crop_box for geometry in geometries])
    x, y = _grid(box, geometries)
    return _compare(tuple(maps), [_sample(found, x, y) for found in maps.values()], box, share)


def _common(boxes: Sequence[Box]) -> Box:
    x0, y0 = max(box[0] for box in boxes), max(box[1] for box in boxes)
    x1, y1 = min(box[2] for box in boxes), min(box[3] for box in boxes)
    if x0 >= x1 or y0 >= y1:
        raise LensError("These views have no part of the image in common.", remedy="Compare other variants.")
    return x0, y0, x1, y1


def _grid(box: Box, geometries: Sequence[Geometry]) -> tuple[np.ndarray, np.ndarray]:
    """Centers of the common pixels in upload pixels: x (columns,), y (rows,)."""
    x0, y0, x1, y1 = box
    # pixels of a view along each axis of the common part; the fewest are those of the coarsest view
    columns = min((x1 - x0) * g.input_size[1] / (g.crop_box[2] - g.crop_box[0]) for g in geometries)
    rows = min((y1 - y0) * g.input_size[0] / (g.crop_box[3] - g.crop_box[1]) for g in geometries)
    columns, rows = max(1, round(columns)), max(1, round(rows))
    x = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns - 0.5
    y = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows - 0.5
    return x, y


def _sample(found: Explanation, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The map at upload pixels, (len(y), len(x)) float32: bilinear, edge values extended outwards."""
    return interpolate_at(found.heatmap, found.geometry, *found.geometry.to_input(x, y))


def _compare(names: tuple[str, ...], values: Sequence[np.ndarray], box: Box, share: float) -> Agreement:
    ranked = [standard_ranks(value) for value in values]
    tops = [highest(value, share) for value in values]
    return Agreement(
        names, _pairs(ranked, lambda a, b: float(a @ b)), _pairs(tops, intersection_over_union), share,
        np.stack(values), box,
    )  # fmt: skip


def _pairs(values: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    """(n, n): a symmetric measure of every pair."""
    table = np.empty((len(values), len(values)))
    for i, a in enumerate(values):
        for j, b in enumerate(values[: i + 1]):
            table[i, j] = table[j, i] = measure(a, b)
    return table
