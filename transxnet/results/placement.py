"""A raw grid brought onto pixels, each value at its unit's own pixel: what overlays, combinations and trust stand on.

A map's value [i, j] belongs to view pixel (origin + stride * j, origin + stride * i): `Geometry`. Stretching the grid
over the view instead, as an image resize does, would put value 0 at the middle of the first cell: (stride - 1) / 2
pixels too far right and down, 15.5 px for a stage of stride 32.
"""

from __future__ import annotations

import numpy as np

from .geometry import Geometry


def place(heatmap: np.ndarray, geometry: Geometry, size: tuple[int, int] | None = None) -> np.ndarray:
    """Bilinear interpolation of a grid onto pixels, each value at its unit's center, edge values extended outwards.

    heat: (rows, columns), raw. size: (height, width) of the drawing, which covers exactly the view; None takes the
    view's own. Returns float32 (height, width), raw values; at a unit's pixel exactly the unit's value.
    """
    height, width = size or geometry.input_size
    x, y = (
        (np.arange(pixels) + 0.5) * view / pixels - 0.5
        for pixels, view in ((width, geometry.input_size[1]), (height, geometry.input_size[0]))
    )
    return place_at(heatmap, geometry, x, y)


def place_at(heatmap: np.ndarray, geometry: Geometry, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The same at columns x and rows y, in pixels of the view: float32 (len(y), len(x))."""
    heatmap = np.asarray(heatmap, np.float32)
    top, bottom, down = _neighbors(y, heatmap.shape[0], geometry)
    left, right, along = _neighbors(x, heatmap.shape[1], geometry)
    rows = heatmap[top] * (1 - down)[:, None] + heatmap[bottom] * down[:, None]  # (len(y), columns)
    return rows[:, left] * (1 - along) + rows[:, right] * along  # (len(y), len(x))


def _neighbors(in_view: np.ndarray, units: int, geometry: Geometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each place along one axis of the view: the unit before it, the one after, and how far along it lies."""
    u = np.clip((in_view - geometry.origin) / geometry.stride, 0, units - 1)
    before = np.floor(u).astype(int)
    share = (u - before).astype(np.float32)
    return before, before + (share > 0), share  # at a unit's pixel no neighbor: 0 * NaN would be NaN
