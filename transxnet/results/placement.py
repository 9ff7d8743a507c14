"""Interpolate a grid onto pixels, each value at its unit's pixel: the basis of overlays, combined maps and checks.

Value [i, j] of a map belongs to model-input pixel (origin + stride * j, origin + stride * i): `Geometry`. An image
resize would put value 0 at the center of the first cell instead: (stride - 1) / 2 pixels too far right and down, which
is 15.5 px for a stage of stride 32.
"""

from __future__ import annotations

import numpy as np

from .geometry import Geometry


def interpolate(heatmap: np.ndarray, geometry: Geometry, size: tuple[int, int] | None = None) -> np.ndarray:
    """Bilinear interpolation of a grid onto pixels; edge values extend outwards.

    Args:
        heatmap: (rows, columns), raw.
        geometry: Positions of its values.
        size: (height, width) of the output, which covers exactly the model input; None is the input's own size.

    Returns:
        float32 (height, width), raw; at a unit's pixel exactly the unit's value.
    """
    height, width = size or geometry.input_size
    x, y = (
        (np.arange(pixels) + 0.5) * side / pixels - 0.5
        for pixels, side in ((width, geometry.input_size[1]), (height, geometry.input_size[0]))
    )
    return interpolate_at(heatmap, geometry, x, y)


def interpolate_at(heatmap: np.ndarray, geometry: Geometry, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of a grid at chosen columns and rows.

    Args:
        heatmap: (rows, columns), raw.
        geometry: Positions of its values.
        x: Columns, in model-input pixels.
        y: Rows, in model-input pixels.

    Returns:
        float32 (len(y), len(x)), raw.
    """
    heatmap = np.asarray(heatmap, np.float32)
    top, bottom, row_fraction = _neighbors(y, heatmap.shape[0], geometry)
    left, right, col_fraction = _neighbors(x, heatmap.shape[1], geometry)
    rows = heatmap[top] * (1 - row_fraction)[:, None] + heatmap[bottom] * row_fraction[:, None]  # (len(y), columns)
    return rows[:, left] * (1 - col_fraction) + rows[:, right] * col_fraction  # (len(y), len(x))


def _neighbors(positions: np.ndarray, units: int, geometry: Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each position along one axis: the unit before it, the unit after it, and the fraction of the way."""
    fractional_units = np.clip((positions - geometry.origin) / geometry.stride, 0, units - 1)
    before = np.floor(fractional_units).astype(int)
    fraction = (fractional_units - before).astype(np.float32)
    return before, before + (fraction > 0), fraction  # at a unit's pixel no neighbor: 0 * NaN would be NaN
