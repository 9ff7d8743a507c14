"""Attention rollout through the pyramid, an approximation: where a unit's attention comes from, in pixels.

Attention rollout (Abnar and Zuidema, arXiv 2005.00928) multiplies, over layers, 1/2 A + 1/2 I: half of what a position
holds came by the residual path, half by attention. In TransXNet queries are units, keys come from a smaller map, and
stages differ in size, so here a block is

    R = 1/2 I + 1/2 A F    (Nq, Nq), rows sum to 1

A (Nq, Nk): OSRA's weights, fused over heads; rows are brought to a sum of 1, as the maximum needs it. F (Nk, Nq): the
footprint of OSRA's reduction. Steps between stages and the stem are footprints too (footprint.py). A row vector that
starts on one unit, or on all alike, is taken down through all blocks and steps to the pixels; no matrix R is built.

What it leaves out, and must not be read as: IDConv, DPE, MS-FFN's depthwise convolutions, STE, OSRA's local_conv, all
norms and the weights of the residual branches. OSRA is half of the channels, and LayerScale makes the branches small,
so "half" is a convention and no measurement. It knows nothing of values, features or classes: it says where attention
could have carried something from, not that anything of it was used, and not why the answer was given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...results import Explanation
from ...results.attention import fused
from ..observe import Observation, need_part
from .attention import key_geometry
from .footprint import key_footprint, step_footprint

Mixing = Callable[[int, int], np.ndarray]  # (stage, block) -> A, (Nq, Nk), rows sum to 1


def rollout(
    observation: Observation,
    stage: int,
    position: tuple[float, float] | None = None,
    block: int | None = None,
    fusion: str = "mean",
    uniform_windows: bool = False,
) -> Explanation:
    """Attention rollout from one unit, or from all units alike, down to the pixels. An approximation.

    stage, block: from 1; block None or 0 is the stage's last; this block and all before it are rolled out. point:
    (x, y) in pixels of the upright upload, takes the nearest unit; None is the mean over all units. fusion: of heads,
    "mean" or "max". uniform_windows: footprints all alike instead of the mean of |w|. Needs the kind "attention".
    heat: (H, W) float32, shares of 1, >= 0, over view pixels.
    numbers: `blocks` rolled out; `residual`, what of the map came by residual paths only, 2^-blocks; `from_uniform`,
    the total variation (0 to 1) from the same rollout with all weights at 1/Nk: what of the map attention decided, the
    rest is the architecture's; x, y of the unit and `distance`, the mean distance from it, in view pixels.
    Raises OutOfRange for a stage, block or point that does not exist, or if attention was not kept; UnknownName for
    another fusion; PartMissing for a model without OSRA.
    """
    need_part(observation, "osra")
    stage, block = observation.locate(stage, block)
    units = observation.units(stage)
    unit = None if position is None else units.unit_at(*position)
    start = _start(units.grid, unit)
    heatmap = _down(observation, stage, block, start, _recorded(observation, fusion), uniform_windows)
    flat = _down(observation, stage, block, start, _uniform(observation), uniform_windows)
    blocks = sum(observation.model.spec.depths[: stage - 1]) + block
    numbers = {
        "blocks": float(blocks),
        "residual": 0.5**blocks,
        "from_uniform": float(np.abs(heatmap - flat).sum() / 2),
    }
    if unit is not None:
        x, y = units.center(*unit)
        rows, cols = np.indices(heatmap.shape)
        numbers |= {"x": x, "y": y, "distance": float((heatmap * np.hypot(cols - x, rows - y)).sum())}
    return Explanation(
        "rollout", observation.model_name, f"stage {stage}, block {block} and all before it (approximation)",
        "mean over all units" if unit is None else f"unit at row {unit[0]}, column {unit[1]}",
        heatmap.astype(np.float32), False, "share of the map", observation.geometry(heatmap.shape, 1), numbers,
    )  # fmt: skip


def _start(grid: tuple[int, int], unit: tuple[int, int] | None) -> np.ndarray:
    if unit is None:
        return np.full(grid, 1 / np.prod(grid))
    start = np.zeros(grid)
    start[unit] = 1
    return start


def _down(
    observation: Observation, stage: int, block: int, shares: np.ndarray, mixing: Mixing, uniform: bool
) -> np.ndarray:
    """Shares on a stage's units -> shares on the view's pixels, through every block and step below."""
    for below in range(stage, 0, -1):
        last = block if below == stage else observation.model.spec.depths[below - 1]
        for each in range(last, 0, -1):
            mixed = shares.reshape(-1) @ mixing(below, each)  # (Nq,) (Nq, Nk) -> (Nk,)
            footprint = key_footprint(observation, below, each, uniform)
            shares = (shares + footprint.spread(mixed.reshape(_key_grid(observation, below)))) / 2
        shares = step_footprint(observation, below, uniform).spread(shares)
    return shares


def _recorded(observation: Observation, fusion: str) -> Mixing:
    def mixing(stage: int, block: int) -> np.ndarray:
        weights = observation.trace.one("attention", stage, block).tensor[0].detach().double().cpu().numpy()
        rows = fused(weights, fusion)  # (heads, Nq, Nk) -> (Nq, Nk)
        sums = rows.sum(axis=1, keepdims=True)
        # a query whose heads were all switched off has no row: take it as undecided, so that nothing is lost
        return np.where(sums > 0, rows / np.where(sums > 0, sums, 1), 1 / rows.shape[1])

    return mixing


def _uniform(observation: Observation) -> Mixing:
    def mixing(stage: int, block: int) -> np.ndarray:
        queries, keys = (np.prod(grid) for grid in (observation.units(stage).grid, _key_grid(observation, stage)))
        return np.broadcast_to(1 / keys, (queries, keys))

    return mixing


def _key_grid(observation: Observation, stage: int) -> tuple[int, int]:
    return key_geometry(observation, stage).grid
