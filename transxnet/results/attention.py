"""OSRA's attention: the keys of one query, the queries of one key, a whole block, and statistics over depth.

Heads are fused in two ways: "mean", which still sums to 1, and "max", the largest weight of any head, which does not.
Wherever a parameter is called `head`, it takes one head counted from 1, 0 for the mean, or a name of FUSIONS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import OutOfRange, check_name
from ..messages import Message
from .geometry import Geometry
from .layer import LayerResult

FUSIONS = ("mean", "max")


def fuse_heads(weights: np.ndarray, fusion: str) -> np.ndarray:
    """Reduce the head axis of attention weights.

    Args:
        weights: (heads, …).
        fusion: "mean" or "max".

    Returns:
        (…).

    Raises:
        UnknownName: For another fusion.
    """
    check_name(fusion, FUSIONS, "Heads cannot be fused by {name}.")
    return weights.mean(axis=0) if fusion == "mean" else weights.max(axis=0)


@dataclass(frozen=True)
class AttentionFrom(LayerResult):
    """The keys that one query of OSRA attends to.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        query: (row, column) of the query's unit, from 0.
        heads: (heads, key rows, key columns) float32, attention weights; each head's map sums to 1.
        entropy: (heads,), entropy of a head's map over log Nk: 0 (one key) to 1 (uniform).
        distance: (heads,), mean distance from the query to its keys, in model-input pixels.
        keys: Positions of the keys.
        queries: Positions of the queries.
    """

    query: tuple[int, int]
    heads: np.ndarray
    entropy: np.ndarray
    distance: np.ndarray
    keys: Geometry
    queries: Geometry

    @property
    def mean(self) -> np.ndarray:
        """Mean over heads: (key rows, key columns)."""
        return self.heads.mean(axis=0)

    def head(self, head: int | str) -> np.ndarray:
        """Map of one head, or of all heads fused.

        Args:
            head: From 1; 0 or "mean" is the mean over heads, "max" the largest weight of any head.

        Returns:
            (key rows, key columns) weights, 0 to 1.

        Raises:
            OutOfRange: For a head that the stage does not have.
            UnknownName: For another fusion.
        """
        return _select_head(self.heads, head, self.stage)


@dataclass(frozen=True)
class AttentionTo(LayerResult):
    """The queries of OSRA that attend to one key.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        key: (row, column) of the key, from 0.
        heads: (heads, query rows, query columns) float32, the weight that each query gives the key. A head's map does
            not sum to 1; the weights of one query do, over all keys.
        keys: Positions of the keys.
        queries: Positions of the queries.
    """

    key: tuple[int, int]
    heads: np.ndarray
    keys: Geometry
    queries: Geometry

    @property
    def total(self) -> np.ndarray:
        """(heads,): weight that all queries together give this key. The totals of all keys sum to Nq."""
        return self.heads.sum(axis=(1, 2))

    @property
    def uniform_total(self) -> float:
        """What `total` would be under uniform attention: Nq / Nk."""
        return float(np.prod(self.queries.grid) / np.prod(self.keys.grid))

    def head(self, head: int | str) -> np.ndarray:
        """Map of one head, or of all heads fused.

        Args:
            head: From 1; 0 or "mean" is the mean over heads, "max" the largest weight of any head.

        Returns:
            (query rows, query columns) weights, 0 to 1.

        Raises:
            OutOfRange: For a head that the stage does not have.
            UnknownName: For another fusion.
        """
        return _select_head(self.heads, head, self.stage)


@dataclass(frozen=True)
class PositionAttention:
    """Both directions at one position: attention from the nearest query, and attention to the nearest key."""

    attention_from: AttentionFrom
    attention_to: AttentionTo


@dataclass(frozen=True)
class AttentionTable(LayerResult):
    """All attention weights of one block. Nq queries and Nk keys, flattened row by row.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        weights: (heads, Nq, Nk) float32; the weights of a query sum to 1.
        entropy: (heads, Nq), entropy of a query's weights over log Nk: 0 (one key) to 1 (uniform).
        distance: (heads, Nq), mean distance from the query to its keys, in model-input pixels.
        keys: Positions of the keys.
        queries: Positions of the queries.
    """

    weights: np.ndarray
    entropy: np.ndarray
    distance: np.ndarray
    keys: Geometry
    queries: Geometry

    def attention_from(self, row: int, col: int) -> AttentionFrom:
        """Attention from one query, as copies and not views of the table.

        Args:
            row: Row of the query, from 0.
            col: Column of the query, from 0.

        Returns:
            The query's weights over the keys, per head.

        Raises:
            OutOfRange: For a query outside the grid.
        """
        _check_cell(self.queries, row, col, f"queries of stage {self.stage}")
        query = row * self.queries.grid[1] + col
        return AttentionFrom(
            self.model, self.stage, self.block, (row, col),
            self.weights[:, query].reshape(-1, *self.keys.grid).copy(),
            self.entropy[:, query].copy(), self.distance[:, query].copy(),
            self.keys, self.queries,
        )  # fmt: skip

    def attention_to(self, row: int, col: int) -> AttentionTo:
        """Attention to one key, as copies and not views of the table.

        Args:
            row: Row of the key, from 0.
            col: Column of the key, from 0.

        Returns:
            The weight that each query gives the key, per head.

        Raises:
            OutOfRange: For a key outside the grid.
        """
        _check_cell(self.keys, row, col, f"keys of stage {self.stage}")
        weights = self.weights[:, :, row * self.keys.grid[1] + col].reshape(-1, *self.queries.grid).copy()
        return AttentionTo(self.model, self.stage, self.block, (row, col), weights, self.keys, self.queries)

    def position_attention(self, x: float, y: float) -> PositionAttention:
        """Attention from the query and to the key nearest to a position, in pixels of the upright source image."""
        query, key = self.queries.unit_at(x, y), self.keys.unit_at(x, y)
        return PositionAttention(self.attention_from(*query), self.attention_to(*key))

    @property
    def uniform_distance(self) -> float:
        """What `distance` would be, averaged over queries, under uniform attention: the value to compare it with."""
        return float(query_key_distances(self.queries, self.keys).mean())


@dataclass(frozen=True)
class BlockAttention:
    """One block's attention in two numbers per head, each the mean over all queries.

    Attributes:
        stage: From 1.
        block: From 1.
        entropy: (heads,) float32, over log Nk: 0 (one key) to 1 (uniform).
        distance: (heads,) float32, from query to keys, in model-input pixels.
        uniform_distance: `distance` under uniform attention, in model-input pixels.
    """

    stage: int
    block: int
    entropy: np.ndarray
    distance: np.ndarray
    uniform_distance: float


@dataclass(frozen=True)
class AttentionDepth:
    """Entropy and distance of attention in every recorded block, in the model's order.

    Attributes:
        model: Name of the model.
        input_size: (height, width) of the model input in pixels, the scale of the distances.
        blocks: One entry per block.
    """

    model: str
    input_size: tuple[int, int]
    blocks: tuple[BlockAttention, ...]


@dataclass(frozen=True)
class PathwayEnergies:
    """Energy of the two halves of D-Mixer's output in every block, before STE joins them.

    Energy is the mean squared value. Varying energy is the mean squared value after each channel's mean over positions
    is subtracted, that is the mean spatial variance. Arrays are (blocks,) float64, in the model's order.

    Attributes:
        model: Name of the model.
        stages: int, from 1.
        blocks: int, from 1.
        idconv: Energy of IDConv's half.
        osra: Energy of OSRA's half.
        idconv_varying: Varying energy of IDConv's half.
        osra_varying: Varying energy of OSRA's half.
    """

    model: str
    stages: np.ndarray
    blocks: np.ndarray
    idconv: np.ndarray
    osra: np.ndarray
    idconv_varying: np.ndarray
    osra_varying: np.ndarray

    @property
    def osra_share(self) -> np.ndarray:
        """(blocks,): OSRA's share of the energy of both halves, 0 to 1; NaN where both are zero."""
        return _share(self.osra, self.idconv)

    @property
    def osra_varying_share(self) -> np.ndarray:
        """(blocks,): OSRA's share of the varying energy, 0 to 1; NaN where neither half varies."""
        return _share(self.osra_varying, self.idconv_varying)


def query_key_distances(queries: Geometry, keys: Geometry) -> np.ndarray:
    """Distance from each query's center to each key's center.

    Args:
        queries: Positions of Nq queries.
        keys: Positions of Nk keys.

    Returns:
        (Nq, Nk) float64 in model-input pixels, both flattened row by row.
    """
    (query_x, query_y), (key_x, key_y) = _centers(queries), _centers(keys)
    return np.hypot(query_x[:, None] - key_x, query_y[:, None] - key_y)


def _centers(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """x and y of every cell's center, each flattened row by row."""
    rows, cols = np.indices(geometry.grid).reshape(2, -1)
    return geometry.center(rows, cols)


def _check_cell(geometry: Geometry, row: int, col: int, cells: str) -> None:
    rows, cols = geometry.grid
    if not (0 <= row < rows and 0 <= col < cols):
        remedy = f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}."
        raise OutOfRange(f"The {cells} have no row {row}, column {col}.", remedy=remedy)


def _select_head(heads: np.ndarray, head: int | str, stage: int) -> np.ndarray:
    if isinstance(head, str):
        return fuse_heads(heads, head)
    if not 0 <= head <= len(heads):
        remedy = Message("Choose 1 to {count}, or 0 for the mean of all.", count=len(heads))
        raise OutOfRange(Message("Stage {stage} has no head {head}.", stage=stage, head=head), remedy=remedy)
    return heads[head - 1] if head else fuse_heads(heads, "mean")


def _share(part: np.ndarray, remainder: np.ndarray) -> np.ndarray:
    total = part + remainder
    return np.divide(part, total, out=np.full_like(total, np.nan), where=total > 0)
