"""The color maps in use, as data and as 256-color tables: Matplotlib's perceptually uniform ones.

Sequential maps are for magnitudes, diverging ones for signed values; a diverging map's middle stands for zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import matplotlib
import numpy as np

from ..errors import check_name

SEQUENTIAL, DIVERGING = "sequential", "diverging"


@dataclass(frozen=True)
class Colormap:
    """A color map: Matplotlib's name, its kind, and its colors from low to high."""

    name: str
    kind: str  # SEQUENTIAL or DIVERGING
    about: str


COLORMAPS: Mapping[str, Colormap] = MappingProxyType(
    {
        row.name: row
        for row in (
            Colormap("magma", SEQUENTIAL, "black, purple, orange, cream"),
            Colormap("inferno", SEQUENTIAL, "black, red, yellow"),
            Colormap("viridis", SEQUENTIAL, "violet, green, yellow"),
            Colormap("cividis", SEQUENTIAL, "blue, gray, yellow: suits color blindness"),
            Colormap("gray", SEQUENTIAL, "black, gray, white"),
            Colormap("RdBu_r", DIVERGING, "blue, white, red"),
            Colormap("coolwarm", DIVERGING, "blue, light gray, red"),
        )
    }
)


@cache
def lut(name: str) -> np.ndarray:
    """The map's colors from low to high: uint8 (256, 3), RGB, read-only. Raises UnknownName."""
    check_name(name, COLORMAPS, "There is no color map called {name}.")
    table = np.rint(matplotlib.colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8)
    table.setflags(write=False)
    return table
