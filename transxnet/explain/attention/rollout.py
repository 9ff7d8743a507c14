"""Attention rollout through the pyramid, an approximation: which pixels a unit's attention comes from.

Attention rollout (Abnar and Zuidema, arXiv 2005.00928) multiplies 1/2 A + 1/2 I over layers: half of a position's
content came by the residual path, half by attention. In TransXNet queries are units, keys come from a smaller map, and
stages differ in size, so here a block is

    R = 1/2 I + 1/2 A F    (Nq, Nq), rows sum to 1

A (Nq, Nk): OSRA's weights, fused over heads and normalized to rows that sum to 1, which the maximum needs. F (Nk, Nq):
the footprint of OSRA's reduction. Downsampling between stages and the stem are footprints too. A row vector that
starts on one unit, or uniformly on all, is propagated through all blocks and steps to the pixels; R is never built.

Footprints are this project's own. OSRA's keys are made by a strided convolution with overlapping windows, so a key is
neither a pixel nor a tile of pixels. A footprint describes one convolution as weights that sum to 1 over its window:
the mean of |w| over the channels, or uniform; parts of a window outside the map count as nothing.

Limitations: rollout leaves out IDConv, DPE, MS-FFN's depthwise convolutions, STE, OSRA's local_conv, all norms and the
weights of the residual branches. OSRA is half of the channels, and LayerScale makes the branches small, so "half" is a
convention and not a measurement. A footprint ignores signs, features and differences between channels. The map shows
where attention could have carried information from, not that it was used, and not why the model made its prediction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import nn

from ...messages import Message
from ...results import Explanation
from ...results.attention import fuse_heads
from ..observe import Observation, require_part
from .attention import key_geometry


def rollout(
    observation: Observation,
    stage: int,
    position: tuple[float, float] | None = None,
    block: int | None = None,
    fusion: str = "mean",
    uniform_windows: bool = False,
) -> Explanation:
    """Attention rollout from one unit, or uniformly from all units, to the pixels. An approximation.

    Args:
        observation: Must have recorded the kind "attention".
        stage: From 1.
        position: (x, y) in pixels of the upright source image, takes the nearest unit; None is the mean over all units.
        block: From 1; None or 0 is the stage's last. This block and all before it are rolled out.
        fusion: Of heads, "mean" or "max".
        uniform_windows: Use uniform footprints instead of the mean of |w|.

    Returns:
        Shares of 1 over model-input pixels: (H, W) float32, >= 0. `numbers`: blocks, how many were rolled out;
        residual, share of the map that came by residual paths only, 2^-blocks; from_uniform, total variation (0 to 1)
        from the same rollout with all weights 1/Nk: the part of the map due to attention rather than architecture;
        x, y of the unit and distance, the mean distance from it, in model-input pixels.

    Raises:
        OutOfRange: For a stage, block or position that does not exist, or if attention was not recorded.
        UnknownName: For another fusion.
        PartMissing: For a model without OSRA.
    """
    require_part(observation, "osra")
    stage, block = observation.locate(stage, block)
    units = observation.units(stage)
    unit = None if position is None else units.unit_at(*position)
    start = np.zeros(units.grid)
    start[... if unit is None else unit] = 1
    start /= start.sum()
    heatmap = _propagate(observation, stage, block, start, fusion, uniform_windows)
    uniform = _propagate(observation, stage, block, start, None, uniform_windows)
    blocks = sum(observation.model.spec.depths[: stage - 1]) + block
    numbers = {
        "blocks": float(blocks),
        "residual": 0.5**blocks,
        "from_uniform": float(np.abs(heatmap - uniform).sum() / 2),
    }
    if unit is None:
        target = "mean over all units"
    else:
        target = Message("unit at row {row}, column {column}", row=unit[0], column=unit[1])
        x, y = units.center(*unit)
        rows, cols = np.indices(heatmap.shape)
        numbers |= {"x": x, "y": y, "distance": float((heatmap * np.hypot(cols - x, rows - y)).sum())}
    return Explanation(
        "rollout", observation.model_name,
        Message("stage {stage}, block {block} and all before it (approximation)", stage=stage, block=block), target,
        heatmap.astype(np.float32), False, "share of the map", observation.geometry(heatmap.shape, 1), numbers,
    )  # fmt: skip


@dataclass(frozen=True)
class Footprint:
    """A convolution as a matrix F (output values, input values) whose rows sum to 1; the matrix is never built.

    Attributes:
        kernel: (k, k), > 0.
        stride: Of the convolution.
        padding: Of the convolution.
        grid: (rows, columns) of the input map.
    """

    kernel: np.ndarray
    stride: int
    padding: int
    grid: tuple[int, int]

    def spread(self, shares: np.ndarray) -> np.ndarray:
        """Compute shares F: distribute values of the output map over the input map, total unchanged.

        Args:
            shares: (rows, columns) of the output map.

        Returns:
            float64 of shape `grid`.
        """
        shares = shares / self._window_sums(shares.shape)
        padded = np.zeros([side + 2 * self.padding for side in self.grid])
        for weight, window in self._taps(shares.shape):
            padded[window] += weight * shares
        return padded[tuple(slice(self.padding, self.padding + side) for side in self.grid)]

    def _window_sums(self, output_grid: tuple[int, int]) -> np.ndarray:
        """The part of each window's weight that lies inside the input map."""
        inside = np.pad(np.ones(self.grid), self.padding)
        return sum(weight * inside[window] for weight, window in self._taps(output_grid))

    def _taps(self, output_grid: tuple[int, int]) -> Iterator[tuple[float, tuple[slice, slice]]]:
        """Each tap's weight, and the cells of the padded input map that this tap covers in all windows."""
        rows, cols = (self.stride * (side - 1) + 1 for side in output_grid)
        for (u, v), weight in np.ndenumerate(self.kernel):
            yield weight, (slice(u, u + rows, self.stride), slice(v, v + cols, self.stride))


def conv_footprint(conv: nn.Module, grid: tuple[int, int], uniform: bool = False) -> Footprint:
    """Footprint of a convolution.

    Args:
        conv: nn.Conv2d, or nn.Identity (OSRA's reduction where sr is 1), which keeps every value.
        grid: (rows, columns) of its input map.
        uniform: Use equal taps instead of the mean of |w| over channels; all-zero kernels count as uniform.

    Returns:
        The footprint, its kernel not normalized.
    """
    if isinstance(conv, nn.Identity):
        return Footprint(np.ones((1, 1)), 1, 0, grid)
    weight = conv.weight.detach().float().cpu().numpy().astype(np.float64)  # (Cout, Cin, k, k)
    kernel = np.abs(weight).mean(axis=(0, 1))  # (k, k)
    if uniform or not kernel.any():
        kernel = np.ones_like(kernel)
    tiny = 1e-12 * kernel.max()  # so that the part of a window inside the map is never empty
    return Footprint(np.maximum(kernel, tiny), conv.stride[0], conv.padding[0], tuple(grid))


def key_footprint(observation: Observation, stage: int, block: int, uniform: bool = False) -> Footprint:
    """Footprint of OSRA's reduction, from keys to units: window sr + 3, stride sr, padding (sr + 3) // 2.

    Args:
        observation: Of a model with OSRA.
        stage: From 1.
        block: From 1.
        uniform: Use equal taps instead of the mean of |w| over channels.

    Returns:
        A footprint on the stage's grid of units.
    """
    reduction = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.global_unit.sr
    conv = reduction if isinstance(reduction, nn.Identity) else reduction[0].conv
    return conv_footprint(conv, observation.units(stage).grid, uniform)


def downsampling_footprint(observation: Observation, stage: int, uniform: bool = False) -> Footprint:
    """Footprint of the convolution before a stage, 3x3 with stride 2, or of the stem, 7x7 with stride 4.

    Args:
        observation: Of a TransXNet.
        stage: From 1; 1 is the stem.
        uniform: Use equal taps instead of the mean of |w| over channels.

    Returns:
        A footprint on the units of the stage before, or on the model input's pixels.
    """
    if stage == 1:
        return conv_footprint(observation.model.patch_embed.proj.conv, tuple(observation.x.shape[-2:]), uniform)
    conv = observation.model.network[2 * stage - 3].proj.conv
    return conv_footprint(conv, observation.units(stage - 1).grid, uniform)


def _propagate(
    observation: Observation, stage: int, block: int, shares: np.ndarray, fusion: str | None, uniform: bool
) -> np.ndarray:
    """Shares on a stage's units -> shares on pixels, through every block and downsampling step before them."""
    for lower_stage in range(stage, 0, -1):
        last_block = block if lower_stage == stage else observation.model.spec.depths[lower_stage - 1]
        key_grid = key_geometry(observation, lower_stage).grid
        for lower_block in range(last_block, 0, -1):
            key_shares = shares.reshape(-1) @ _attention(observation, lower_stage, lower_block, fusion)  # (Nk,)
            footprint = key_footprint(observation, lower_stage, lower_block, uniform)
            shares = (shares + footprint.spread(key_shares.reshape(key_grid))) / 2
        shares = downsampling_footprint(observation, lower_stage, uniform).spread(shares)
    return shares


def _attention(observation: Observation, stage: int, block: int, fusion: str | None) -> np.ndarray:
    """A, (Nq, Nk), rows sum to 1: the recorded weights, or 1 / Nk everywhere for fusion None."""
    recorded = observation.trace.find_one("attention", stage, block).tensor[0]  # (heads, Nq, Nk)
    if fusion is None:
        return np.broadcast_to(1 / recorded.shape[2], recorded.shape[1:])
    rows = fuse_heads(recorded.detach().cpu().numpy().astype(np.float64), fusion)
    sums = rows.sum(axis=1, keepdims=True)
    # a query whose heads are all ablated has an all-zero row: treat it as uniform, so that no share is lost
    return np.where(sums > 0, rows / np.where(sums > 0, sums, 1), 1 / rows.shape[1])
