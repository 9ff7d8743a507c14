"""OSRA's attention of one block: one query's maps, and all of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import OutOfRange
from .geometry import Geometry


@dataclass(frozen=True)
class AttentionMaps:
    """What OSRA's query at one unit mixes in. heads: (heads, key rows, key columns) float32, each sums to 1."""

    variant: str
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

    def head(self, head: int) -> np.ndarray:
        """Map of one head, counted from 1; 0 is the mean."""
        if not 0 <= head <= len(self.heads):
            raise OutOfRange(
                f"Stage {self.stage} has no head {head}.",
                remedy=f"Choose 1 to {len(self.heads)}, or 0 for the mean of all.",
            )
        return self.heads[head - 1] if head else self.mean


@dataclass(frozen=True)
class AttentionTable:
    """All of one block's attention: which keys every query mixes in. Nq queries and Nk keys, row by row."""

    variant: str
    stage: int
    block: int
    weights: np.ndarray  # (heads, Nq, Nk) float32; each row sums to 1
    entropy: np.ndarray  # (heads, Nq): entropy of the row over log Nk, 0 (one key) to 1 (all alike)
    distance: np.ndarray  # (heads, Nq): mean distance from the query to its keys, view pixels
    keys: Geometry
    queries: Geometry

    def at(self, row: int, col: int) -> AttentionMaps:
        """Forward view: the key maps of the query in this row and column, from 0; copies, not views of the table."""
        _check_cell(self.queries, row, col, f"queries of stage {self.stage}")
        query = row * self.queries.grid[1] + col
        return AttentionMaps(
            self.variant, self.stage, self.block, (row, col),
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

    @property
    def uniform_distance(self) -> float:
        """What `distance` would be on average if every query weighed all keys alike: the figure to read it against."""
        return float(distances(self.queries, self.keys).mean())


def distances(queries: Geometry, keys: Geometry) -> np.ndarray:
    """(Nq, Nk): from each query's centre to each key's, in view pixels, row by row."""
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
