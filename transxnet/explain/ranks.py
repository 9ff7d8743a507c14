"""Ranks of a map's values: Spearman's correlation, an order of pixels, the overlap of two maps' highest values.

Spearman's correlation is Pearson's of the ranks, equal values sharing the mean of their ranks (Kendall, "Rank
correlation methods", chapter 3). It knows nothing of scale: a map and its square agree fully, a map and its negative
not at all (-1).

What they must not be read as: a measure of how much values differ. A map that is even but for rounding has ranks, too,
and they mean nothing: such a map is `blank` here.
"""

from __future__ import annotations

import numpy as np

EVEN = 1e-3  # of the largest absolute value: a random model's attention is even to 2e-5, and only rounding ranks it


def blank(values: np.ndarray) -> bool:
    """Whether a map ranks nothing: it is even, its spread below a thousandth of its size, or not finite somewhere."""
    if not np.isfinite(values).all():
        return True
    return not np.ptp(values) >= EVEN * np.abs(values).max() > 0


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, lowest value first; equal values share the mean of their ranks. Any shape -> (N,) float64."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()  # the rank of the last of each group of equal values
    return (last - (counts - 1) / 2)[group.ravel()]


def standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks about zero, of length 1: two of them have Spearman's correlation as their product. (N,); NaN if blank."""
    if blank(values):
        return np.full(values.size, np.nan)
    ranks = average_ranks(values)
    ranks -= ranks.mean()
    return ranks / np.sqrt(ranks @ ranks)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two maps of one shape, -1 to 1; NaN if either is blank."""
    if a.shape != b.shape:
        raise ValueError(f"maps of different shapes: {a.shape} and {b.shape}")
    return float(standard_ranks(a) @ standard_ranks(b))


def highest_first(heatmap: np.ndarray, seed: int = 0) -> np.ndarray:
    """Indices of the flattened map, highest value first: (N,) int64. NaN counts as lowest.

    Equal values stand in an order that is random and the same every time (`seed`): in the order of the rows, a map
    with large flat parts would always favour the image's top.
    """
    values = np.where(np.isnan(heatmap), -np.inf, heatmap).ravel().astype(np.float64)
    lots = np.random.default_rng(seed).permutation(values.size)
    return np.lexsort((lots, -values))


def highest(values: np.ndarray, share: float) -> np.ndarray | None:
    """Which places hold the `share` of highest values, at least one place: (N,) bool; None if blank."""
    if blank(values):
        return None
    chosen = np.zeros(values.size, bool)
    chosen[highest_first(values)[: max(1, round(share * values.size))]] = True
    return chosen


def intersection_over_union(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Of two choices of places, 0 to 1; NaN if one is None."""
    return float("nan") if a is None or b is None else float((a & b).sum() / (a | b).sum())


def top_overlap(a: np.ndarray, b: np.ndarray, share: float = 0.1) -> float:
    """Intersection over union of the `share` of places with the highest values, 0 to 1; NaN if either map is blank."""
    return intersection_over_union(highest(a, share), highest(b, share))
