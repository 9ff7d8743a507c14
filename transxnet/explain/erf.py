"""The effective receptive field: which pixels one unit's features depend on, for one picture.

Luo et al., NeurIPS 2016 (arXiv 1701.04128), as RepLKNet's script computes it (Ding et al., arXiv 2203.06717):
s = sum over channels of ReLU(M[:, row, column]), M a stage's output; g = |ds/dx|, summed over the three colours.
Where it differs from that script: one picture, any stage and unit, the absolute gradient by default
(`rectify=True` gives theirs, the ReLU of the gradient), and no logarithm: the map is raw.

The containment figures are not the published r(t), which is taken on the logarithm of the map (so it depends on the
gradient's units) about the picture's middle (which at 224 px is not the unit's pixel). Here: the smallest square about
the unit's own pixel that holds a share t of the raw map, as a share of the picture. Scaling all features leaves it
as it is.

What it must not be read as: how far the unit *looks*. IDConv's gates and GroupNorm see the whole picture, so every
pixel reaches every unit; a plain ERF mixes what is seen with what modulates. And a gradient speaks of small changes of
this picture only.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..errors import OutOfRange
from ..results import Explanation
from .observe import Observation

SHARES = (0.2, 0.3, 0.5, 0.99)


def receptive_field(
    observation: Observation,
    stage: int = 4,
    point: tuple[float, float] | None = None,
    unit: tuple[int, int] | None = None,
    rectify: bool = False,
) -> Explanation:
    """The ERF of one unit of a stage's output on this picture: float32 (H, W) over the view's pixels, >= 0.

    point: (x, y) in pixels of the upright upload, the nearest unit is taken; or unit: (row, column) from 0; neither
    is the unit at (rows // 2, columns // 2). rectify: ReLU of the gradient in place of its absolute value.
    Units: sum of features per unit of normalised input (one standard deviation of ImageNet's colours).
    numbers: score, the sum s (0 if no feature of the unit is active: the map is then empty); total of the map; row,
    column of the unit and x, y of its pixel in the view; r20, r30, r50, r99 as `containment` defines them.
    Raises OutOfRange for a stage, point or unit that does not exist or a stage not kept, LensError without gradients.
    """
    observation.need_grad()
    stage, block = observation.locate(stage)
    units = observation.units(stage)
    row, col = _pick_unit(units, point, unit)
    score = unit_score(observation.trace.one("stage", stage).tensor, row, col)
    heat = pixel_gradient(score, observation.x, rectify)
    x, y = units.center(row, col)
    numbers = {
        "score": float(score.detach()), "total": float(heat.sum(dtype=np.float64)),
        "row": float(row), "column": float(col), "x": x, "y": y, **containment(heat, (y, x)),
    }  # fmt: skip
    return Explanation(
        "erf", observation.variant, f"stage {stage}, block {block}", f"unit at row {row}, column {col}", heat, False,
        "sum of features per unit of normalised input", observation.geometry(heat.shape, 1.0), numbers,
    )  # fmt: skip


def unit_score(features: Tensor, row: int, col: int) -> Tensor:
    """s = sum over channels of ReLU(M[:, row, col]) of a map (1, C, h, w): a scalar with its graph."""
    return features[0, :, row, col].relu().sum()


def pixel_gradient(score: Tensor, x: Tensor, rectify: bool = False) -> np.ndarray:
    """|d score / dx|, or its ReLU, summed over the channels of x (1, 3, H, W): float32 (H, W). Keeps the graph."""
    (slope,) = torch.autograd.grad(score, x, retain_graph=True)
    slope = slope.relu() if rectify else slope.abs()
    return slope.sum(dim=1)[0].cpu().numpy()


def containment(heat: np.ndarray, center: tuple[float, float], shares: tuple[float, ...] = SHARES) -> dict[str, float]:
    """How much of the picture the smallest centred square covers that holds a share of the map.

    heat: (H, W), >= 0. center: (y, x), a pixel of the map. For each share t the smallest square of side 2i + 1,
    i = 0, 1, …, about that pixel whose sum is at least t of the whole; where it reaches over the border it is
    clipped, and only the part inside the picture counts as area. Returns {"r50": area over the picture's area, …},
    0 to 1; NaN where the map is empty or not finite.
    """
    names = [f"r{round(100 * t)}" for t in shares]
    total = heat.sum(dtype=np.float64)
    if not np.isfinite(total) or total <= 0:
        return dict.fromkeys(names, float("nan"))
    height, width = heat.shape
    y, x = round(center[0]), round(center[1])
    reach = max(y, height - 1 - y, x, width - 1 - x)  # the square of this i covers everything
    inside = np.zeros((height + 1, width + 1))  # inside[a, b]: the sum of heat[:a, :b]
    inside[1:, 1:] = heat.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    i = np.arange(reach + 1)
    top, bottom = np.maximum(y - i, 0), np.minimum(y + i + 1, height)
    left, right = np.maximum(x - i, 0), np.minimum(x + i + 1, width)
    sums = inside[bottom, right] - inside[top, right] - inside[bottom, left] + inside[top, left]
    areas = (bottom - top) * (right - left) / heat.size
    return {name: float(areas[np.argmax(sums >= t * sums[-1])]) for name, t in zip(names, shares, strict=True)}


def _pick_unit(units, point, unit) -> tuple[int, int]:
    if point is not None and unit is not None:
        raise ValueError("name a point or a unit, not both")
    if point is not None:
        return units.unit_at(*point)
    rows, cols = units.grid
    row, col = (rows // 2, cols // 2) if unit is None else unit
    if not (0 <= row < rows and 0 <= col < cols):
        raise OutOfRange(
            f"There is no unit at row {row}, column {col}.",
            remedy=f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}.",
        )
    return int(row), int(col)
