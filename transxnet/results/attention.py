"""OSRA's attention: one query's maps, one key's users, all of a block, and a summary over depth.

Heads are fused in two ways: "mean", which still sums to 1, and "max", the largest weight any head gives, which does
not. One head, from 1, 0 for the mean, or a name of FUSIONS is what `head` takes wherever it appears.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import OutOfRange, UnknownName, quote
from .geometry import Geometry

FUSIONS = ("mean", "max")


def fused(heads: np.ndarray, how: str) -> np.ndarray:
    """(heads, …) -> (…): "mean" or "max" over heads. Raises UnknownName."""
    if how not in FUSIONS:
        raise UnknownName(f"Heads cannot be fused by {quote(how)}.", remedy=f"Choose one of: {', '.join(FUSIONS)}.")
    return heads.mean(axis=0) if how == "mean" else heads.max(axis=0)


@dataclass(frozen=True)
class AttentionFrom:
    """What OSRA's query at one unit mixes in. heads: (heads, key rows, key columns) float32, each sums to 1."""

    model: str
    stage: int
    block: int
    query: tuple[int, int]  # row, column of the query's unit
    heads: np.ndarray
    entropy: np.ndarray  # (heads,): entropy of the row over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads,): mean distance from the query to its keys, view pixels
    keys: Geometry  # where keys sit
    queries: Geometry  # where queries sit

    @property
    def mean(self) -> np.ndarray:
        """Mean over heads: (key rows, key columns)."""
        return self.heads.mean(axis=0)

    def head(self, head: int | str) -> np.ndarray:
        """Map of one head, counted from 1; 0 or "mean" is the mean of all, "max" the largest weight any head gives."""
        return _head(self.heads, head, self.stage)


@dataclass(frozen=True)
class AttentionTo:
    """Which queries of OSRA use one key: heads, (heads, query rows, query columns), the weight each query gives it.

    These do not sum to 1; a query's weights do, over all keys.
    """

    model: str
    stage: int
    block: int
    key: tuple[int, int]  # row, column of the key
    heads: np.ndarray
    keys: Geometry  # where keys sit
    queries: Geometry  # where queries sit

    @property
    def total(self) -> np.ndarray:
        """(heads,): weight this key gets from all queries together. Over all keys these add up to Nq."""
        return self.heads.sum(axis=(1, 2))

    @property
    def uniform_total(self) -> float:
        """What `total` is if every query weighs all keys alike: Nq / Nk."""
        return float(np.prod(self.queries.grid) / np.prod(self.keys.grid))

    def head(self, head: int | str) -> np.ndarray:
        """Map of one head, counted from 1; 0 or "mean" is the mean of all, "max" the largest weight in any head."""
        return _head(self.heads, head, self.stage)


@dataclass(frozen=True)
class PositionAttention:
    """Both views of one block at one point: what the nearest query mixes in, and who uses the nearest key."""

    attention_from: AttentionFrom
    attention_to: AttentionTo


@dataclass(frozen=True)
class AttentionTable:
    """All of one block's attention: which keys every query mixes in. Nq queries and Nk keys, row by row."""

    model: str
    stage: int
    block: int
    weights: np.ndarray  # (heads, Nq, Nk) float32; each row sums to 1
    entropy: np.ndarray  # (heads, Nq): entropy of the row over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads, Nq): mean distance from the query to its keys, view pixels
    keys: Geometry
    queries: Geometry

    def at(self, row: int, col: int) -> AttentionFrom:
        """Forward view: the key maps of the query in this row and column, from 0; copies, not views of the table."""
        _check_cell(self.queries, row, col, f"queries of stage {self.stage}")
        query = row * self.queries.grid[1] + col
        return AttentionFrom(
            self.model, self.stage, self.block, (row, col),
            self.weights[:, query].reshape(-1, *self.keys.grid).copy(),
            self.entropy[:, query].copy(), self.distance[:, query].copy(),
            self.keys, self.queries,
        )  # fmt: skip

    def users(self, row: int, col: int) -> np.ndarray:
        """Reverse view: the weight every query gives the key in this row and column, (heads, query rows, columns).

        Does not sum to 1: over all keys it does, at every query.
        """
        _check_cell(self.keys, row, col, f"keys of stage {self.stage}")
        return self.weights[:, :, row * self.keys.grid[1] + col].reshape(-1, *self.queries.grid)

    def attention_to(self, row: int, col: int) -> AttentionTo:
        """Reverse view with its place and totals; copies, not views of the table."""
        users = self.users(row, col).copy()
        return AttentionTo(self.model, self.stage, self.block, (row, col), users, self.keys, self.queries)

    def fused(self, how: str) -> np.ndarray:
        """(Nq, Nk): "mean" over heads, whose rows sum to 1, or "max", whose rows sum to 1 or more."""
        return fused(self.weights, how)

    @property
    def uniform_distance(self) -> float:
        """What `distance` would be on average if every query weighed all keys alike: the figure to read it against."""
        return float(distances(self.queries, self.keys).mean())


@dataclass(frozen=True)
class BlockAttention:
    """One block's attention in two figures a head, each the mean over all queries."""

    stage: int
    block: int
    entropy: np.ndarray  # (heads,) float32: over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads,) float32: from query to keys, view pixels
    uniform_distance: float  # view pixels: `distance` if every query weighed all keys alike


@dataclass(frozen=True)
class AttentionDepth:
    """How wide attention is in every block that was kept, in the order the model ran them."""

    model: str
    input_size: tuple[int, int]  # height, width in pixels: what distances are to be read against
    blocks: tuple[BlockAttention, ...]


@dataclass(frozen=True)
class PathwayEnergies:
    """How large the two halves of D-Mixer's output are in every block, before STE joins them.

    Arrays are (blocks,) float64, in the order the model ran them. Energy is the mean squared value; `varying` that of
    what remains after each channel's mean over positions is taken off.
    """

    model: str
    stages: np.ndarray  # int, from 1
    blocks: np.ndarray  # int, from 1
    idconv: np.ndarray
    osra: np.ndarray
    idconv_varying: np.ndarray
    osra_varying: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """(blocks,): OSRA's energy over that of both halves, 0 to 1; NaN where both are silent."""
        return _share(self.osra, self.idconv)

    @property
    def varying_share(self) -> np.ndarray:
        """(blocks,): the same of what varies over positions; NaN where nothing does."""
        return _share(self.osra_varying, self.idconv_varying)


def distances(queries: Geometry, keys: Geometry) -> np.ndarray:
    """(Nq, Nk): from each query's center to each key's, in view pixels, row by row."""
    (qx, qy), (kx, ky) = _centers(queries), _centers(keys)
    return np.hypot(qx[:, None] - kx, qy[:, None] - ky)


def _centers(geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:  # x and y, each (values,), row by row
    rows, cols = np.indices(geometry.grid).reshape(2, -1)
    return geometry.center(rows, cols)


def _check_cell(geometry: Geometry, row: int, col: int, what: str) -> None:
    rows, cols = geometry.grid
    if not (0 <= row < rows and 0 <= col < cols):
        raise OutOfRange(
            f"The {what} have no row {row}, column {col}.", remedy=f"Rows are 0 to {rows - 1}, columns 0 to {cols - 1}."
        )


def _head(heads: np.ndarray, head: int | str, stage: int) -> np.ndarray:
    if isinstance(head, str):
        return fused(heads, head)
    if not 0 <= head <= len(heads):
        raise OutOfRange(
            f"Stage {stage} has no head {head}.", remedy=f"Choose 1 to {len(heads)}, or 0 for the mean of all."
        )
    return heads[head - 1] if head else fused(heads, "mean")


def _share(part: np.ndarray, rest: np.ndarray) -> np.ndarray:
    whole = part + rest
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
