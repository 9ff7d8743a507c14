"""IDConv's kernels as grids of squares: a square a channel, a color a tap, gaps between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import check_index
from ..results import KernelSet
from .scale import NORMALIZED, PLAIN, Tone, colorize, shared_range

BACKGROUND = (255, 255, 255)  # RGB of the gaps


def kernel_tiles(
    kernels: np.ndarray,
    value_range: tuple[float, float],
    colormap: str = "RdBu_r",
    signed: bool = True,
    columns: int | None = None,
    tap: int = 12,
    gap: int = 6,
    tone: Tone = PLAIN,
) -> np.ndarray:
    """Kernels in reading order; kernel i starts at row (i // columns) * (K * tap + gap).

    Args:
        kernels: (n, K, K), raw.
        value_range: Raw (low, high), shared by all; with a normalized tone each kernel has its own.
        colormap, signed, tone: As for `scale.colorize`.
        columns: None makes the grid about square.
        tap: Pixels a tap.
        gap: Pixels between kernels; none at the border.

    Returns:
        uint8 (height, width, 3), RGB.
    """
    n, rows_k, columns_k = kernels.shape
    columns = columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    high, wide = rows_k * tap, columns_k * tap
    shape = (rows * (high + gap) - gap, columns * (wide + gap) - gap, 3)
    image = np.full(shape, BACKGROUND, np.uint8)
    alone = tone.mode == NORMALIZED
    ranges = [shared_range([kernel], signed) if alone else value_range for kernel in kernels]
    pairs = zip(kernels, ranges, strict=True)
    # (n, K, K, 3)
    colors = np.stack([colorize(kernel, limits, colormap, signed, tone=tone) for kernel, limits in pairs])
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
    """Some channels of one block as a grid that diverges about zero (blue, white, red).

    Args:
        kernel_set: Of one block.
        channels: Array indices, from 0.
        value_range: None takes that of these channels, symmetric about zero.
        part: "kernels" (as generated), "static" (of uniform gates) or "difference" (generated - static).
        columns, tap, gap, colormap, tone: As for `kernel_tiles`.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        OutOfRange: For a channel that the block does not have.
    """
    last, template = len(kernel_set.kernels) - 1, "Stage {stage}, block {block} has no IDConv channel {index}."
    layer = {"stage": kernel_set.stage, "block": kernel_set.block}
    selected = [check_index(channel, 0, last, template, **layer) for channel in channels]
    values = kernel_part(kernel_set, part)[selected]  # (n, K, K)
    value_range = value_range or shared_range([values], signed=True)
    return kernel_tiles(values, value_range, colormap, columns=columns, tap=tap, gap=gap, tone=tone)


def tile_layout(n: int, size: int, side: int) -> tuple[int, int, int]:
    """(columns, tap, gap) of a square grid of n kernels (size x size) that fills at most `side` pixels."""
    columns = max(1, int(np.ceil(np.sqrt(n))))
    tap = max(1, int(0.9 * side) // (columns * size)) if columns > 1 else max(1, side // size)
    gap = max(1, (side - columns * size * tap) // max(columns - 1, 1))
    return columns, tap, gap


def kernel_part(kernel_set: KernelSet, part: str) -> np.ndarray:
    """(C, K, K): "kernels", "static", "difference" or "gates", the mixing weights of the first learned kernel."""
    if part == "difference":
        return kernel_set.kernels - kernel_set.static_kernels
    return {"kernels": kernel_set.kernels, "static": kernel_set.static_kernels, "gates": kernel_set.gates[0]}[part]
