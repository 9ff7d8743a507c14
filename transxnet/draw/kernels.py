"""IDConv's kernels as grids of small squares: one square a channel, one color a tap, gaps between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import OutOfRange
from ..results import KernelSet
from .scale import NORMALIZED, PLAIN, Tone, colorize, shared_range

BACKGROUND = (255, 255, 255)  # RGB of the gaps


def grid(
    kernels: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "RdBu_r",
    signed: bool = True,
    columns: int | None = None,
    tap: int = 12,
    gap: int = 6,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Any kernels (n, K, K) as a grid in reading order: uint8 (height, width, 3), RGB.

    value_range: raw (low, high), shared by all; normalized, each kernel has its own. columns: None makes the grid
    about square. tap: pixels a tap; gap: pixels between kernels and none at the border. Channel i starts at row
    (i // columns) * (K * tap + gap).
    """
    n, rows_k, columns_k = kernels.shape
    columns = columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    high, wide = rows_k * tap, columns_k * tap
    shape = (rows * (high + gap) - gap, columns * (wide + gap) - gap, 3)
    image = np.full(shape, BACKGROUND, np.uint8)
    alone = tone.mode == NORMALIZED
    ranges = [shared_range([kernel], signed) if alone else value_range for kernel in kernels]
    each = zip(kernels, ranges, strict=True)
    colors = np.stack([colorize(kernel, own, colormap, signed, tone=tone) for kernel, own in each])  # (n, K, K, 3)
    for i, square in enumerate(colors.repeat(tap, axis=1).repeat(tap, axis=2)):  # (n, K*tap, K*tap, 3)
        y, x = i // columns * (high + gap), i % columns * (wide + gap)
        image[y : y + high, x : x + wide] = square
    return image


def kernel_grid(
    kernel_set: KernelSet,
    channels: Sequence[int],
    value_range: tuple[float, float] | None = None,
    part: str = "kernels",
    columns: int | None = None,
    tap: int = 12,
    gap: int = 6,
    colormap: str = "RdBu_r",
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Chosen channels of one block as a grid, diverging about zero (blue, white, red): uint8 (H, W, 3), RGB.

    channels: array indices, from 0. part: "kernels" (what was generated), "static" (what uniform gates would give)
    or "difference" (generated - static). value_range: None takes these channels' own, symmetric about zero.
    """
    values = part_of(kernel_set, part)[_checked(channels, kernel_set)]  # (n, K, K)
    value_range = value_range or shared_range([values], signed=True)
    return grid(values, value_range, colormap, columns=columns, tap=tap, gap=gap, tone=tone)


def fitting(n: int, size: int, side: int) -> tuple[int, int, int]:
    """(columns, tap, gap) in pixels of a square grid of n kernels size x size that fills `side` pixels, or nearly."""
    columns = max(1, int(np.ceil(np.sqrt(n))))
    tap = max(1, int(0.9 * side) // (columns * size)) if columns > 1 else max(1, side // size)
    gap = max(1, (side - columns * size * tap) // max(columns - 1, 1))
    return columns, tap, gap


def part_of(kernel_set: KernelSet, part: str) -> np.ndarray:
    """(C, K, K): "kernels", "static" or "difference"."""
    if part == "difference":
        return kernel_set.kernels - kernel_set.static_kernels
    return {"kernels": kernel_set.kernels, "static": kernel_set.static_kernels}[part]


def _checked(channels: Sequence[int], kernel_set: KernelSet) -> list[int]:
    count = len(kernel_set.kernels)
    chosen = [int(c) for c in channels]
    for channel in chosen:
        if not 0 <= channel < count:
            raise OutOfRange(
                f"Stage {kernel_set.stage}, block {kernel_set.block} has no IDConv channel {channel}.",
                remedy=f"Choose 0 to {count - 1}.",
            )
    return chosen
