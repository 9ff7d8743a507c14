"""The effective receptive field: which pixels one unit's features depend on, for one image, and how far it reaches.

Luo et al., NeurIPS 2016 (arXiv 1701.04128), as RepLKNet's script computes it (Ding et al., arXiv 2203.06717):
s = sum over channels of ReLU(M[:, row, column]), M a stage's output; g = |ds/dx|, summed over the three colors.
Where it differs from that script: one image (erf_protocol.py has the script's average), any stage and unit, the
absolute gradient by default (`rectify=True` gives theirs, the ReLU of the gradient), and no logarithm: the map is raw.

How far it reaches is r(t), the area of the smallest square that holds a share t of the map, of two kinds:

    published   RepLKNet's: of log10(g + 1), so it depends on the gradient's units; about the image's middle, which
                at 224 px is not the unit's pixel; strictly more than t; none found is possible
    sound       of the raw map, about the unit's own pixel, at least t: scaling all features leaves it as it is

Neither is comparable between images of different sizes without saying so.

What a map must not be read as: how far the unit *looks*. IDConv's gates and GroupNorm see the whole image, so every
pixel reaches every unit; a plain ERF mixes what is seen with what modulates (erf_pathways.py takes them apart). And a
gradient speaks of small changes of this image only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...errors import OutOfRange
from ...process_settings import without_tf32
from ...results import Explanation
from ...results.erf import SHARES, ErfCurves, RCurve, log_scaled
from ..observe import Observation

CURVE = tuple(t / 100 for t in range(1, 100))


def receptive_field(
    observation: Observation,
    stage: int = 4,
    position: tuple[float, float] | None = None,
    unit: tuple[int, int] | None = None,
    rectify: bool = False,
    keep_graph: bool = True,
) -> Explanation:
    """The ERF of one unit of a stage's output on this image: float32 (H, W) over the view's pixels, >= 0.

    point: (x, y) in pixels of the upright upload, the nearest unit is taken; or unit: (row, column) from 0; neither
    is the unit at (rows // 2, columns // 2). rectify: ReLU of the gradient in place of its absolute value. keep_graph:
    False gives the observation's memory back on the way; nothing can be differentiated through it any more.
    Units: sum of features per unit of normalized input (one standard deviation of ImageNet's colors).
    numbers: score, the sum s (0 if no feature of the unit is active: the map is then empty); total of the map; row,
    column of the unit and x, y of its pixel in the view; r20, r30, r50, r99 as `containment` defines them.
    Raises OutOfRange for a stage, point or unit that does not exist or a stage not kept, LensError without gradients.
    """
    observation.need_grad()
    stage, block = observation.locate(stage)
    units = observation.units(stage)
    row, col = _pick_unit(units, position, unit)
    score = unit_score(observation.trace.one("stage", stage).tensor, row, col)
    heatmap = pixel_gradient(score, observation.x, rectify, keep_graph)
    x, y = units.center(row, col)
    numbers = {
        "score": float(score.detach()), "total": float(heatmap.sum(dtype=np.float64)),
        "row": float(row), "column": float(col), "x": x, "y": y, **containment(heatmap, (y, x)),
    }  # fmt: skip
    return Explanation(
        "erf", observation.model_name, observation.layer_words(stage, block), f"unit at row {row}, column {col}",
        heatmap,
        False, "sum of features per unit of normalized input", observation.geometry(heatmap.shape, 1.0), numbers,
    )  # fmt: skip


def unit_score(features: Tensor, row: int, col: int) -> Tensor:
    """s = sum over channels of ReLU(M[:, row, col]) of a map (1, C, h, w): a scalar with its graph."""
    return features[0, :, row, col].relu().sum()


@without_tf32()
def pixel_gradient(score: Tensor, x: Tensor, rectify: bool = False, keep_graph: bool = True) -> np.ndarray:
    """|d score / dx|, or its ReLU, summed over the channels of x (1, 3, H, W): float32 (H, W)."""
    (slope,) = torch.autograd.grad(score, x, retain_graph=keep_graph)
    slope = slope.relu() if rectify else slope.abs()
    return slope.sum(dim=1)[0].cpu().numpy()


def containment(
    heatmap: np.ndarray, center: tuple[float, float], shares: tuple[float, ...] = SHARES
) -> dict[str, float]:
    """{"r20": r(0.2), …} of `r_curve` at these shares. center: (y, x)."""
    return r_curve(heatmap, center, shares).numbers


def r_curve(heatmap: np.ndarray, center: tuple[float, float], shares: Sequence[float] = CURVE) -> RCurve:
    """The sound r(t): how much of the image the smallest centerd square covers that holds a share t of the raw map.

    heat: (H, W), >= 0. center: (y, x), a pixel of the map: the unit's own. For each t the smallest square of side
    2i + 1, i = 0, 1, …, about that pixel whose sum is at least t of the whole; where it reaches over the border it is
    clipped, and only the part inside the image counts as area. NaN where the map is empty or not finite.
    """
    height, width = heatmap.shape
    y, x = round(center[0]), round(center[1])
    reach = max(y, height - 1 - y, x, width - 1 - x)  # the square of this i covers everything
    sums, areas = _squares(heatmap, (y, x), np.arange(reach + 1))
    return _curve("sound", sums, areas, sums[-1], shares, (y, x), strict=False)


def published_r(heatmap: np.ndarray, shares: Sequence[float] = SHARES) -> RCurve:
    """RepLKNet's r(t), exactly (its analyze_erf.py): to be read beside the sound one, never alone.

    heat: (H, W), >= 0, the raw average. A = log10(heat + 1) over its maximum; for each t the area, as a share of the
    image, of the smallest square of side 2i + 1, i = 1 … H // 2 - 1, about (H // 2, W // 2) whose sum of A is
    strictly more than t of the whole. NaN, and named in `none_found`, where no such square is: the largest leaves out
    the first row and column. Depends on the gradient's units: the same map a thousand times larger gives another r(t).
    In a map that is not square the squares are clipped at the border, where that script would go wrong.
    """
    middle = (heatmap.shape[0] // 2, heatmap.shape[1] // 2)
    scaled = log_scaled(heatmap)
    sums, areas = _squares(scaled, middle, np.arange(1, heatmap.shape[0] // 2))
    return _curve("published", sums, areas, scaled.sum(), shares, middle, strict=True)


def erf_curves(found: Explanation) -> ErfCurves:
    """Both r(t) of one image's map, at 1, 2, … 99 %."""
    center = (found.numbers["y"], found.numbers["x"])
    what = f"{found.layer}, {found.target}, one image"
    return ErfCurves(found.model, what, published_r(found.heatmap, CURVE), r_curve(found.heatmap, center))


def _squares(heatmap: np.ndarray, center: tuple[int, int], i: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and share of the image's area of the squares of side 2i + 1 about a pixel (y, x), clipped: each (n,)."""
    (height, width), (y, x) = heatmap.shape, center
    inside = np.zeros((height + 1, width + 1))  # inside[a, b]: the sum of heat[:a, :b]
    inside[1:, 1:] = heatmap.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    top, bottom = np.maximum(y - i, 0), np.minimum(y + i + 1, height)
    left, right = np.maximum(x - i, 0), np.minimum(x + i + 1, width)
    with np.errstate(invalid="ignore"):  # a map that is not finite holds nothing: _curve says so
        sums = inside[bottom, right] - inside[top, right] - inside[bottom, left] + inside[top, left]
    return sums, (bottom - top) * (right - left) / heatmap.size


def _curve(kind, sums, areas, total, shares, center, strict: bool) -> RCurve:
    """For each share the first square that holds it; NaN where there is none."""
    wanted = np.asarray(shares, np.float64)
    found = np.full(len(wanted), np.nan)
    if np.isfinite(total) and total > 0:
        held = sums[None, :] > wanted[:, None] * total if strict else sums[None, :] >= wanted[:, None] * total
        some = held.any(axis=1)
        found[some] = areas[held[some].argmax(axis=1)]
    y, x = center
    return RCurve(kind, wanted, found, (float(x), float(y)))


def _pick_unit(units, position, unit) -> tuple[int, int]:
    if position is not None and unit is not None:
        raise ValueError("name a point or a unit, not both")
    if position is not None:
        return units.unit_at(*position)
    rows, cols = units.grid
    row, col = (rows // 2, cols // 2) if unit is None else unit
    if not (0 <= row < rows and 0 <= col < cols):
        raise OutOfRange(
            f"There is no unit at row {row}, column {col}.",
            remedy=f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}.",
        )
    return int(row), int(col)
