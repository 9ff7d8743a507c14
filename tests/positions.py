"""Positions in the source image."""

from __future__ import annotations

from transxnet.results import Geometry


def center_in_source(geometry: Geometry, row: float, col: float) -> tuple[float, float]:
    """(x, y) of a value's center in pixels of the upright source image."""
    return geometry.to_source(*geometry.center(row, col))
