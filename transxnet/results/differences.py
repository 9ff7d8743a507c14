"""Maps of one image by several variants, on what all of them saw, and every pair's difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Geometry
from .sanity_checks import Agreement

ROUNDING = 1e-3  # share of a map's largest value below which a difference is that of the arithmetic


@dataclass(frozen=True)
class Difference:
    """Second minus first, on the common pixels. values: (rows, columns) float32, in the maps' own unit.

    correlation: Spearman's, -1 to 1. in_common: of the share of pixels that the first ranks highest, how much the
    second ranks highest as well, 0 to 1; two random choices have `by_chance`. Both NaN where either map is even.
    largest: the largest magnitude in either map there.
    """

    first: str
    second: str
    values: np.ndarray
    correlation: float
    overlap: float
    overlap_by_chance: float
    largest: float

    @property
    def mean_absolute(self) -> float:
        """Mean of |second - first| over the common pixels, in the maps' unit."""
        return float(np.abs(self.values, dtype=np.float64).mean())

    @property
    def only_rounding(self) -> bool:
        """Whether nothing differs by as much as a thousandth of the larger map's largest value."""
        return float(np.abs(self.values).max()) < ROUNDING * self.largest


@dataclass(frozen=True)
class Comparison:
    """agreement: its `values` are the maps on the common pixels, raw. geometry: where those pixels sit: one value a
    pixel, the common part of the crops as view. differences: one a pair, first ones first.
    """

    agreement: Agreement
    geometry: Geometry
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> float:
        """What the end of one scale for all pairs stands for: the largest magnitude of a difference, or, where
        rounding is all that differs, of the maps themselves, so that nothing shows.
        """
        if all(one.only_rounding for one in self.differences):
            return max(one.largest for one in self.differences)
        return max(float(np.abs(one.values).max()) for one in self.differences)
