"""A block's attention table in a quarter of its size, for caches and for sending it to a browser.

The weights of one head's query take one byte per key and share one scale, 1/255 of their maximum. A dequantized weight
differs from the raw one by at most half a scale, 0.2% of the query's maximum. Entropy and distance are computed from
the raw weights, in which the many small ones that quantization rounds to zero still count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .attention import AttentionTable
from .geometry import Geometry
from .layer import LayerResult

LEVELS = 255


@dataclass(frozen=True)
class QuantizedTable(LayerResult):
    """An AttentionTable with quantized weights. Nq queries and Nk keys, flattened row by row.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        weights: (heads, Nq, Nk) uint8, in steps of the query's scale.
        scales: (heads, Nq) float32, weight of one step: the query's maximum over 255.
        entropy: (heads, Nq) float32, of the raw weights, over log Nk.
        distance: (heads, Nq) float32, of the raw weights, mean distance from query to keys in model-input pixels.
        keys: Positions of the keys.
        queries: Positions of the queries.
    """

    weights: np.ndarray
    scales: np.ndarray
    entropy: np.ndarray
    distance: np.ndarray
    keys: Geometry
    queries: Geometry


def quantize(table: AttentionTable) -> QuantizedTable:
    """Round every weight to the nearest of 256 levels of its query.

    Args:
        table: Raw attention weights.

    Returns:
        A table that shares no memory with `table`.
    """
    scales = (table.weights.max(axis=-1) / LEVELS).astype(np.float32)
    steps = table.weights / np.where(scales > 0, scales, 1)[..., None]
    weights = np.clip(np.rint(steps), 0, LEVELS).astype(np.uint8)
    return QuantizedTable(
        table.model, table.stage, table.block, weights, scales,
        table.entropy.astype(np.float32), table.distance.astype(np.float32),  # copies, so that the table can be freed
        table.keys, table.queries,
    )  # fmt: skip
