"""Maps of one image by several models on the region that all of them received, and the difference of every pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Geometry
from .sanity_checks import Agreement

ROUNDING = 1e-3  # share of a map's largest value below which a difference is due to floating-point arithmetic


@dataclass(frozen=True)
class Difference:
    """Second map minus first map on the common pixels.

    Attributes:
        first: Name of the first map.
        second: Name of the second map.
        values: (rows, columns) float32, in the maps' own unit.
        correlation: Spearman's, -1 to 1; NaN if either map is uniform.
        overlap: Of the share of pixels that the first ranks highest, how much the second ranks highest as well, 0 to 1;
            NaN if either map is uniform.
        chance_overlap: The overlap of two random choices.
        largest: The largest magnitude in either map.
    """

    first: str
    second: str
    values: np.ndarray
    correlation: float
    overlap: float
    chance_overlap: float
    largest: float

    @property
    def mean_absolute(self) -> float:
        """Mean of |second - first| over the common pixels, in the maps' unit."""
        return float(np.abs(self.values, dtype=np.float64).mean())

    @property
    def only_rounding(self) -> bool:
        """Whether no difference reaches a thousandth of the larger map's largest value."""
        return float(np.abs(self.values).max()) < ROUNDING * self.largest


@dataclass(frozen=True)
class Comparison:
    """Maps and their differences.

    Attributes:
        agreement: Its `values` are the maps on the common pixels, raw.
        geometry: Where those pixels lie: one value per pixel, the common part of the crops as model input.
        differences: One for each pair, pairs of the first map first.
    """

    agreement: Agreement
    geometry: Geometry
    differences: tuple[Difference, ...]

    @property
    def largest(self) -> float:
        """The end of one color scale for all pairs.

        The largest magnitude of a difference; where only rounding differs, that of the maps, so that nothing shows.
        """
        if all(difference.only_rounding for difference in self.differences):
            return max(difference.largest for difference in self.differences)
        return max(float(np.abs(difference.values).max()) for difference in self.differences)
