"""Footprints: which values of a map one value behind a convolution looks at, as weights that sum to 1.

OSRA's keys are made by a strided convolution whose windows overlap, so a key is no pixel and no tile of pixels. To
draw attention in pixels, its weight has to be handed down: from keys to units through that convolution, from units to
the stage below through the step between stages, and to pixels through the stem. A footprint does one such step. Its
weights are the mean of |w| over the convolution's channels, or all alike; parts of a window outside the map count for
nothing, and what remains sums to 1. This project's own.

What it must not be read as: |w| forgets signs and what the features are, a mean over channels forgets that channels
differ, and the norms, activations and blocks between two maps do not show. It says where a value could have come from
and in what proportion if all features were alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from torch import nn

from ...errors import OutOfRange
from ..observe import Observation, need_part
from .attention import key_geometry


@dataclass(frozen=True)
class Footprint:
    """A convolution as a matrix F, (values behind it, values in front of it), whose rows sum to 1; never built."""

    kernel: np.ndarray  # (k, k), > 0
    stride: int
    padding: int
    grid: tuple[int, int]  # rows, columns of the map in front of the convolution

    def spread(self, shares: np.ndarray) -> np.ndarray:
        """shares F: from the map behind the convolution to the one in front, total unchanged.

        shares: (rows, columns) behind. Returns float64, `grid`.
        """
        shares = shares / self._sums(shares.shape)
        inner = tuple(slice(self.padding, self.padding + side) for side in self.grid)
        padded = np.zeros([side + 2 * self.padding for side in self.grid])
        for weight, seen in self._taps(shares.shape):
            padded[seen] += weight * shares
        return padded[inner]

    def _sums(self, behind: tuple[int, int]) -> np.ndarray:
        """What of each window's weight lies inside the map."""
        inside = np.pad(np.ones(self.grid), self.padding)
        return sum(weight * inside[seen] for weight, seen in self._taps(behind))

    def _taps(self, behind: tuple[int, int]) -> Iterator[tuple[float, tuple[slice, slice]]]:
        """Each tap's weight, and what that tap of all windows sees of the padded map."""
        rows, cols = (self.stride * (side - 1) + 1 for side in behind)
        for (u, v), weight in np.ndenumerate(self.kernel):
            yield weight, (slice(u, u + rows, self.stride), slice(v, v + cols, self.stride))


def footprint_of(conv: nn.Module, grid: tuple[int, int], uniform: bool = False) -> Footprint:
    """Of a convolution over a map of this grid. nn.Identity (OSRA's reduction where sr is 1) keeps every value.

    uniform: every tap alike, instead of the mean of |w| over channels. Taps that are all zero count as alike.
    """
    if isinstance(conv, nn.Identity):
        return Footprint(np.ones((1, 1)), 1, 0, grid)
    kernel = conv.weight.detach().abs().double().mean(dim=(0, 1)).cpu().numpy()  # (Cout, Cin, k, k) -> (k, k)
    if uniform or not kernel.any():
        kernel = np.ones_like(kernel)
    tiny = 1e-12 * kernel.max()  # the part of a window that lies inside the map is never empty
    return Footprint(np.maximum(kernel, tiny), conv.stride[0], conv.padding[0], tuple(grid))


def key_footprint(observation: Observation, stage: int, block: int, uniform: bool = False) -> Footprint:
    """From OSRA's keys of one block to the stage's units: window sr + 3, stride sr, padding (sr + 3) // 2."""
    reduction = observation.model.network[2 * (stage - 1)][block - 1].token_mixer.global_unit.sr
    conv = reduction if isinstance(reduction, nn.Identity) else reduction[0].conv
    return footprint_of(conv, observation.units(stage).grid, uniform)


def step_footprint(observation: Observation, stage: int, uniform: bool = False) -> Footprint:
    """From a stage's units to those of the stage below (3x3, stride 2), or to the view's pixels (7x7, stride 4)."""
    if stage == 1:
        return footprint_of(observation.model.patch_embed.proj.conv, tuple(observation.x.shape[-2:]), uniform)
    step = observation.model.network[2 * stage - 3]
    return footprint_of(step.proj.conv, observation.units(stage - 1).grid, uniform)


def units_to_pixels(observation: Observation, stage: int, shares: np.ndarray, uniform: bool = False) -> np.ndarray:
    """A map on a stage's units, (rows, columns) -> view pixels (H, W) float64, total unchanged."""
    stage, _ = observation.locate(stage)
    for below in range(stage, 0, -1):
        shares = step_footprint(observation, below, uniform).spread(shares)
    return shares


def keys_to_pixels(
    observation: Observation, stage: int, block: int | None, key_map: np.ndarray, uniform: bool = False
) -> np.ndarray:
    """A map on one block's keys, (key rows, key columns) -> view pixels (H, W) float64, total unchanged.

    stage, block: from 1; block None or 0 is the stage's last. key_map: raw weights, e.g.
    attention_from(...).head("max").
    The pixels that keys were made from, by the convolutions alone: not what attention says of pixels, since by that
    layer every key has seen more. uniform: see footprint_of.
    Raises OutOfRange for a stage, block or map that does not fit, PartMissing for a model without OSRA.
    """
    need_part(observation, "osra")
    stage, block = observation.locate(stage, block)
    grid = key_geometry(observation, stage).grid
    if np.shape(key_map) != grid:
        raise OutOfRange(
            f"The keys of stage {stage} are a grid of {grid}, and the map is {np.shape(key_map)}.",
            remedy="Give one head's map of that stage.",
        )
    units = key_footprint(observation, stage, block, uniform).spread(key_map)
    return units_to_pixels(observation, stage, units, uniform)
