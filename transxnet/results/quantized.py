"""A block's attention in a quarter of its size, for whoever keeps many tables or sends them to a browser.

Each row (one head's one query) has one byte a key and one scale, a 255th of its largest weight: what comes back is
within half a scale of the raw weight, so within 0.2 % of the row's peak. Entropy and distance are those of the raw
weights: the many small ones that a step swallows count in them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .attention import AttentionTable
from .geometry import Geometry

LEVELS = 255


@dataclass(frozen=True)
class QuantizedTable:
    """AttentionTable with its weights in steps. Nq queries and Nk keys, row by row."""

    model: str
    stage: int
    block: int
    weights: np.ndarray  # (heads, Nq, Nk) uint8: in steps of the row's scale
    scales: np.ndarray  # (heads, Nq) float32: weight of one step, the row's largest over 255
    entropy: np.ndarray  # (heads, Nq) float32: of the raw row, over log Nk
    distance: np.ndarray  # (heads, Nq) float32: of the raw row, mean distance from query to keys, view pixels
    keys: Geometry
    queries: Geometry

    def values(self) -> np.ndarray:
        """(heads, Nq, Nk) float32: the weights, to half a step."""
        return self.weights * self.scales[..., None]


def quantized(table: AttentionTable) -> QuantizedTable:
    """The table with every weight rounded to the nearest of 256 steps of its own row; nothing of `table` is kept."""
    scales = (table.weights.max(axis=-1) / LEVELS).astype(np.float32)
    steps = table.weights / np.where(scales > 0, scales, 1)[..., None]
    weights = np.clip(np.rint(steps), 0, LEVELS).astype(np.uint8)
    return QuantizedTable(
        table.model, table.stage, table.block, weights, scales,
        table.entropy.astype(np.float32), table.distance.astype(np.float32),  # copies, so that the table can go
        table.keys, table.queries,
    )  # fmt: skip
