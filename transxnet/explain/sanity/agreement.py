"""Agreement and differences of maps, between methods of one model and between models.

    correlation  Spearman's, of signed values (ranks.py)
    IoU          intersection over union J of the tenth of the pixels that each map ranks highest
    overlap      |top(A) and top(B)| / |top(A)|, the same as a share of either choice: 2 J / (1 + J), as both choices
    are
                 of one size; two random choices have a tenth in common
    difference   B - A on the common pixels, in the maps' own unit

All are computed on pixels, after each value has been placed at its unit's position; a coarse map is as smooth there as
its grid, so two coarse maps of one grid agree more easily than two fine ones. The differences are this project's own.

Limitations: maps that agree may all be wrong, and maps that explain different things (where a class is seen, what a
unit depends on) have no reason to agree. Features of two models have no common unit, so a difference of gradients or
logits mixes where they respond with how strongly; attention weights sum to 1 over each model's own keys, so fewer keys
have larger weights. Rank correlation has no unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

import numpy as np

from ...errors import LensError
from ...messages import Message
from ...results import AttentionFrom, Explanation, Geometry
from ...results.differences import Comparison, Difference
from ...results.placement import interpolate, interpolate_at
from ...results.sanity_checks import Agreement
from ..ranks import intersection_over_union, normalized_ranks, top_pixels

SHARE = 0.1  # of the pixels: the highest
NEARLY_UNIFORM = 1.01  # largest over smallest value of a map below which it is nearly uniform
Box = tuple[float, float, float, float]


def agreement(maps: Mapping[str, Explanation], share: float = SHARE) -> Agreement:
    """Compare maps of one model input by several methods, on its pixels.

    Args:
        maps: Name -> map.
        share: Of the pixels, whose overlap is measured, 0 to 1.

    Returns:
        Correlation and overlap of every pair.

    Raises:
        LensError: There are no maps, or they are of different inputs.
    """
    inputs = {(explanation.geometry.input_size, tuple(explanation.geometry.crop_box)) for explanation in maps.values()}
    if len(inputs) != 1:
        raise LensError(
            "Methods are compared on one view, and these maps are of {count}.",
            remedy="Compare variants with agreement_between_models.",
            count=len(inputs),
        )
    ((_, box),) = inputs
    placed = [interpolate(explanation.heatmap, explanation.geometry) for explanation in maps.values()]
    return _agreement(tuple(maps), placed, box, share)


def agreement_between_models(maps: Mapping[str, Explanation], share: float = SHARE) -> Agreement:
    """Compare maps of one upload by several models, whose crops may differ, on what all of them received.

    The common part of the crops is sampled at the pixel size of the coarsest input, each map bilinearly between its
    units' centers.

    Args:
        maps: Name -> map.
        share: Of the pixels, whose overlap is measured, 0 to 1.

    Returns:
        Agreement with raw `values`, so that one scale can serve all.

    Raises:
        LensError: There are no maps, they are of different uploads, or the crops have nothing in common.
    """
    geometries = [explanation.geometry for explanation in maps.values()]
    if len({geometry.source_size for geometry in geometries}) != 1:
        raise LensError("These maps are not of one image.", remedy="Compare maps of the same upload.")
    box = _common_box([geometry.crop_box for geometry in geometries])
    x, y = _common_grid(box, geometries)
    samples = [
        interpolate_at(explanation.heatmap, explanation.geometry, *explanation.geometry.to_input(x, y))
        for explanation in maps.values()
    ]
    return _agreement(tuple(maps), samples, box, share)


def compare_maps(maps: Mapping[str, Explanation], share: float = SHARE) -> Comparison:
    """Compare maps of one source image by several models, with the difference of every pair.

    Args:
        maps: Name -> map.
        share: Of the pixels, whose overlap is measured, 0 to 1.

    Returns:
        Agreement, and second minus first of every pair, in the maps' unit.

    Raises:
        LensError: As `agreement_between_models`.
    """
    agreement = agreement_between_models(maps, share)
    source_size = next(iter(maps.values())).geometry.source_size
    size = agreement.values.shape[1:]
    return Comparison(
        agreement, Geometry(size, 1, size, agreement.box, source_size),
        tuple(
            Difference(
                agreement.names[a], agreement.names[b], agreement.values[b] - agreement.values[a],
                float(agreement.correlation[a, b]), overlap_fraction(float(agreement.overlap[a, b])), share,
                float(np.abs(agreement.values[[a, b]]).max()),
            )
            for a, b in combinations(range(len(agreement.names)), 2)
        ),
    )  # fmt: skip


def overlap_fraction(iou: float) -> float:
    """The share that two choices of one size have in common: 2 J / (1 + J).

    Args:
        iou: Their intersection over union J, 0 to 1.

    Returns:
        0 to 1.
    """
    return 2 * iou / (1 + iou)


def is_nearly_uniform(values: np.ndarray) -> bool:
    """Whether a map of weights is the same everywhere to one part in a hundred.

    Args:
        values: Any shape.

    Returns:
        True if the largest value is below 1.01 times the smallest, and all are positive.
    """
    low, high = float(values.min()), float(values.max())
    return low > 0 and high < NEARLY_UNIFORM * low


def attention_map(attention: AttentionFrom) -> Explanation:
    """One query's attention as an Explanation that can be compared.

    Args:
        attention: Its weights.

    Returns:
        The mean over heads, (key rows, key columns) float32.
    """
    return Explanation(
        "attention", attention.model,
        Message("stage {stage}, block {block}", stage=attention.stage, block=attention.block),
        Message("query at row {row}, column {column}", row=attention.query[0], column=attention.query[1]),
        np.asarray(attention.mean, np.float32), False, "weight", attention.keys,
    )  # fmt: skip


def _common_box(boxes: Sequence[Box]) -> Box:
    x0, y0 = max(box[0] for box in boxes), max(box[1] for box in boxes)
    x1, y1 = min(box[2] for box in boxes), min(box[3] for box in boxes)
    if x0 >= x1 or y0 >= y1:
        raise LensError("These views have no part of the image in common.", remedy="Compare other variants.")
    return x0, y0, x1, y1


def _common_grid(box: Box, geometries: Sequence[Geometry]) -> tuple[np.ndarray, np.ndarray]:
    """Centers of the common pixels in upload pixels: x (columns,), y (rows,)."""
    x0, y0, x1, y1 = box
    # pixels of an input along each axis of the common part; the fewest are those of the coarsest input
    columns = min((x1 - x0) * g.input_size[1] / (g.crop_box[2] - g.crop_box[0]) for g in geometries)
    rows = min((y1 - y0) * g.input_size[0] / (g.crop_box[3] - g.crop_box[1]) for g in geometries)
    columns, rows = max(1, round(columns)), max(1, round(rows))
    x = x0 + (np.arange(columns) + 0.5) * (x1 - x0) / columns - 0.5
    y = y0 + (np.arange(rows) + 0.5) * (y1 - y0) / rows - 0.5
    return x, y


def _agreement(names: tuple[str, ...], values: Sequence[np.ndarray], box: Box, share: float) -> Agreement:
    ranks = [normalized_ranks(value) for value in values]
    tops = [top_pixels(value, share) for value in values]
    return Agreement(
        names, _pairwise(ranks, lambda a, b: float(a @ b)), _pairwise(tops, intersection_over_union), share,
        np.stack(values), box,
    )  # fmt: skip


def _pairwise(values: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], float]) -> np.ndarray:
    """(n, n): a symmetric measure of every pair."""
    table = np.empty((len(values), len(values)))
    for i, a in enumerate(values):
        for j, b in enumerate(values[: i + 1]):
            table[i, j] = table[j, i] = measure(a, b)
    return table
