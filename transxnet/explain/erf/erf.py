"""The effective receptive field (ERF): which pixels one unit's features depend on, for one image, and how far.

Luo et al., NeurIPS 2016 (arXiv 1701.04128), as computed by RepLKNet's script (Ding et al., arXiv 2203.06717):
s = sum over channels of ReLU(M[:, row, column]), M a stage's output; g = |ds/dx|, summed over the three colors.
Differences from that script: one image (protocol.py computes the script's average), any stage and unit, the absolute
gradient by default (`rectify=True` gives theirs, the ReLU of the gradient), and no logarithm: the map is raw.

How far the field reaches is r(t), the area of the smallest square that contains a share t of the map, of two kinds:

    published   RepLKNet's: of log10(g + 1), so it depends on the gradient's unit; centered on the image's middle, which
                at 224 px is not the unit's pixel; strictly more than t; there may be no such square
    raw         of the raw map, centered on the unit's pixel, at least t: invariant to the scale of the features

Neither is comparable between images of different sizes without saying so.

Limitations: the map does not show how far the unit *sees*. IDConv's gates and GroupNorm depend on the whole image, so
every pixel reaches every unit; a plain ERF mixes content with modulation (pathways.py separates them). A gradient
describes small changes of this image only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import OutOfRange
from ...messages import Message
from ...process_settings import without_tf32
from ...results import Explanation, Geometry
from ...results.erf import SHARES, ContainmentCurve, ErfCurves, log_scale
from ..observe import Observation

CURVE_SHARES = tuple(t / 100 for t in range(1, 100))


def receptive_field(
    observation: Observation,
    stage: int = 4,
    position: tuple[float, float] | None = None,
    unit: tuple[int, int] | None = None,
    rectify: bool = False,
    keep_graph: bool = True,
) -> Explanation:
    """The ERF of one unit of a stage's output on this image.

    Args:
        observation: With gradients; must have recorded the kind "stage".
        stage: From 1.
        position: (x, y) in pixels of the upright source image, takes the nearest unit.
        unit: (row, column) from 0, instead of a position; with neither, the unit at (rows // 2, columns // 2).
        rectify: Use the ReLU of the gradient instead of its absolute value.
        keep_graph: False frees the graph during the backward pass; no further gradient can be computed then.

    Returns:
        float32 (H, W) over model-input pixels, >= 0, sum of features per unit of normalized input (one standard
        deviation of ImageNet's colors). `numbers`: score, the sum s (0 if no feature of the unit is active: the map is
        then empty); total of the map; row, column of the unit and x, y of its model-input pixel; r20, r30, r50, r99 as
        defined by `containment_curve`.

    Raises:
        OutOfRange: For a stage, position or unit that does not exist, or a stage that was not recorded.
        LensError: Without gradients.
        ValueError: For both a position and a unit.
    """
    observation.require_grad()
    stage, block = observation.locate(stage)
    units = observation.units(stage)
    row, col = _select_unit(units, position, unit)
    score = unit_score(observation.trace.find_one("stage", stage).tensor, row, col)
    heatmap = pixel_gradient(score, observation.x, rectify, keep_graph)
    x, y = units.center(row, col)
    numbers = {
        "score": float(score.detach()), "total": float(heatmap.sum(dtype=np.float64)),
        "row": float(row), "column": float(col), "x": x, "y": y, **containment_curve(heatmap, (y, x), SHARES).numbers,
    }  # fmt: skip
    return Explanation(
        "erf", observation.model_name, observation.layer_name(stage, block),
        Message("unit at row {row}, column {column}", row=row, column=col), heatmap,
        False, "sum of features per unit of normalized input", observation.geometry(heatmap.shape, 1.0), numbers,
    )  # fmt: skip


def unit_score(features: Tensor, row: int, col: int) -> Tensor:
    """s = sum over channels of ReLU(M[:, row, col]).

    Args:
        features: M, (1, C, h, w).
        row: From 0.
        col: From 0.

    Returns:
        A scalar with its graph.
    """
    return features[0, :, row, col].relu().sum()


@without_tf32()
def pixel_gradient(score: Tensor, x: Tensor, rectify: bool = False, keep_graph: bool = True) -> np.ndarray:
    """|d score / dx|, or its ReLU, summed over colors.

    Args:
        score: Scalar with its graph.
        x: (1, 3, H, W).
        rectify: Use the ReLU instead of the absolute value.
        keep_graph: False frees the graph.

    Returns:
        float32 (H, W), >= 0.
    """
    (gradient,) = torch.autograd.grad(score, x, retain_graph=keep_graph)
    gradient = gradient.relu() if rectify else gradient.abs()
    return gradient.sum(dim=1)[0].cpu().numpy()


def containment_curve(
    heatmap: np.ndarray, center: tuple[float, float], shares: Sequence[float] = CURVE_SHARES
) -> ContainmentCurve:
    """The raw r(t): share of the image that the smallest square containing a share t of the map covers.

    For each t, the smallest square of side 2i + 1, i = 0, 1, …, around the center with a sum of at least t of the
    total.
    Where it reaches over the border it is clipped, and only the part inside the image counts as area.

    Args:
        heatmap: (H, W), >= 0, raw.
        center: (y, x), the unit's pixel.
        shares: t, 0 to 1.

    Returns:
        A curve of kind "raw"; NaN where the map is empty or not finite.
    """
    height, width = heatmap.shape
    y, x = round(center[0]), round(center[1])
    last = max(y, height - 1 - y, x, width - 1 - x)  # the square of this i covers the whole image
    sums, areas = _squares(heatmap, (y, x), np.arange(last + 1))
    return _curve("raw", sums, areas, sums[-1], shares, (y, x), strict=False)


def published_curve(heatmap: np.ndarray, shares: Sequence[float] = SHARES) -> ContainmentCurve:
    """RepLKNet's r(t), exactly (its analyze_erf.py). Compare it with the raw one; do not report it alone.

    A = log10(heatmap + 1) over its maximum. For each t the area, as a share of the image, of the smallest square of
    side 2i + 1, i = 1 … H // 2 - 1, around (H // 2, W // 2) whose sum of A is strictly more than t of the total. It
    depends on the gradient's unit: the same map times a thousand has another r(t). In a map that is not square the
    squares are clipped at the border, where that script would fail.

    Args:
        heatmap: (H, W), >= 0, the raw average.
        shares: t, 0 to 1.

    Returns:
        A curve of kind "published"; NaN, and listed in `unreached_shares`, where there is no such square: the largest
        leaves out the first row and column.
    """
    middle = (heatmap.shape[0] // 2, heatmap.shape[1] // 2)
    log_heatmap = log_scale(heatmap)
    sums, areas = _squares(log_heatmap, middle, np.arange(1, heatmap.shape[0] // 2))
    return _curve("published", sums, areas, log_heatmap.sum(), shares, middle, strict=True)


def erf_curves(erf: Explanation) -> ErfCurves:
    """Both curves of one image's map, at t of 1, 2, … 99%.

    Args:
        erf: As returned by `receptive_field`.

    Returns:
        The published and the raw curve, with the caption of the map.
    """
    caption = Message("{layer}, {target}, one image", layer=erf.layer, target=erf.target)
    raw_curve = containment_curve(erf.heatmap, (erf.numbers["y"], erf.numbers["x"]))
    return ErfCurves(erf.model, caption, published_curve(erf.heatmap, CURVE_SHARES), raw_curve)


def _squares(heatmap: np.ndarray, center: tuple[int, int], i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and share of the image's area of the squares of side 2i + 1 around a pixel (y, x), clipped: each (n,)."""
    (height, width), (y, x) = heatmap.shape, center
    integral = np.zeros((height + 1, width + 1))  # integral[a, b]: the sum of heatmap[:a, :b]
    integral[1:, 1:] = heatmap.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    top, bottom = np.maximum(y - i, 0), np.minimum(y + i + 1, height)
    left, right = np.maximum(x - i, 0), np.minimum(x + i + 1, width)
    with np.errstate(invalid="ignore"):  # a map that is not finite has no curve: _curve returns NaN
        sums = integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left]
    return sums, (bottom - top) * (right - left) / heatmap.size


def _curve(kind, sums, areas, total, shares, center, strict: bool) -> ContainmentCurve:
    """For each share the first square that contains it; NaN where there is none."""
    shares = np.asarray(shares, np.float64)
    smallest = np.full(len(shares), np.nan)
    if np.isfinite(total) and total > 0:
        thresholds = shares[:, None] * total
        contains = sums > thresholds if strict else sums >= thresholds  # (shares, squares)
        reached = contains.any(axis=1)
        smallest[reached] = areas[contains[reached].argmax(axis=1)]
    y, x = center
    return ContainmentCurve(kind, shares, smallest, (float(x), float(y)))


def _select_unit(
    units: Geometry, position: tuple[float, float] | None, unit: tuple[int, int] | None
) -> tuple[int, int]:
    if position is not None and unit is not None:
        raise ValueError("give a position or a unit, not both")
    if position is not None:
        return units.unit_at(*position)
    rows, cols = units.grid
    row, col = (rows // 2, cols // 2) if unit is None else unit
    if not (0 <= row < rows and 0 <= col < cols):
        remedy = f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}."
        raise OutOfRange(f"There is no unit at row {row}, column {col}.", remedy=remedy)
    return int(row), int(col)
