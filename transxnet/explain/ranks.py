"""Ranks of a map's values: Spearman's correlation, an order of pixels, the overlap of two maps' highest values.

Spearman's correlation is Pearson's of the ranks, equal values sharing the mean of their ranks (Kendall, "Rank
correlation methods", chapter 3). It ignores scale: a map and its square agree fully (1), a map and its negative not at
all (-1).

How much two unrelated maps correlate by chance depends on how smooth both are: neighbors of a smooth map repeat each
other. `chance_deviation` is the estimate of Clifford, Richardson and Hémon, "Assessing the significance of the
correlation between two spatial processes" (Biometrics 45, 1989), of the ranks.

Limitations: it does not measure how much values differ. A map that is uniform but for rounding has ranks, too, and they
have no meaning: `is_uniform` detects such a map.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-3  # of the largest absolute value: a random model's attention is uniform to 2e-5, up to rounding


def is_uniform(values: np.ndarray) -> bool:
    """Whether a map ranks nothing: its range is below a thousandth of its size, or it is not finite somewhere.

    Args:
        values: Any shape.

    Returns:
        True for a uniform map.
    """
    if not np.isfinite(values).all():
        return True
    return not np.ptp(values) >= TOLERANCE * np.abs(values).max() > 0


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of values; equal values share the mean of their ranks.

    Args:
        values: Any shape, N values.

    Returns:
        (N,) float64, from 1, lowest value first.
    """
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()  # the rank of the last of each group of equal values
    return (last - (counts - 1) / 2)[group.ravel()]


def normalized_ranks(values: np.ndarray) -> np.ndarray:
    """Centered ranks of norm 1: the dot product of two is Spearman's correlation.

    Args:
        values: Any shape, N values.

    Returns:
        (N,) float64; NaN if uniform.
    """
    if is_uniform(values):
        return np.full(values.size, np.nan)
    ranks = average_ranks(values)
    ranks -= ranks.mean()
    return ranks / np.sqrt(ranks @ ranks)


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two maps.

    Args:
        a: Any shape.
        b: The same shape.

    Returns:
        -1 to 1; NaN if either is uniform.

    Raises:
        ValueError: The shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"maps of different shapes: {a.shape} and {b.shape}")
    return float(normalized_ranks(a) @ normalized_ranks(b))


def chance_deviation(a: np.ndarray, b: np.ndarray) -> float:
    """Standard deviation of Spearman's correlation of two unrelated maps that are as smooth as these.

    The sum, over all shifts between two positions, of the product of the maps' autocovariances at that shift, each
    averaged over the N(shift) pairs of positions, times N(shift); of normalized ranks. For maps without spatial
    correlation this is 1 / sqrt(n - 1) on average (Kendall), and more for smooth ones.

    Args:
        a: (rows, columns), or any shape.
        b: The same shape.

    Returns:
        0 to 1; NaN if either is uniform.
    """
    axes = range(a.ndim)
    padded = [2 * side for side in a.shape]  # no shift goes around the edges
    spectra = [np.abs(np.fft.fftn(values, padded, axes)) ** 2 for values in
               (np.ones(a.shape), *(normalized_ranks(values).reshape(values.shape) for values in (a, b)))]  # fmt: skip
    pairs, first, second = (np.fft.ifftn(spectrum).real for spectrum in spectra)  # of every shift
    overlap = pairs > 0.5
    return float(np.sqrt(np.clip((first[overlap] * second[overlap] / pairs[overlap]).sum(), 0.0, 1.0)))


def descending_order(heatmap: np.ndarray, seed: int = 0) -> np.ndarray:
    """Indices of the flattened map, highest value first. NaN counts as lowest.

    Args:
        heatmap: Any shape, N values.
        seed: Of the order of equal values. It is random, because in the order of the rows a map with large flat parts
            would always favor the image's top.

    Returns:
        (N,) int64, the same for the same seed.
    """
    values = np.where(np.isnan(heatmap), -np.inf, heatmap).ravel().astype(np.float64)
    tie_breakers = np.random.default_rng(seed).permutation(values.size)
    return np.lexsort((tie_breakers, -values))


def top_pixels(values: np.ndarray, share: float) -> np.ndarray | None:
    """Mark the highest values.

    Args:
        values: Any shape, N values.
        share: Of the values to mark, 0 to 1; at least one is marked.

    Returns:
        (N,) bool; None if uniform.
    """
    if is_uniform(values):
        return None
    chosen = np.zeros(values.size, bool)
    chosen[descending_order(values)[: max(1, round(share * values.size))]] = True
    return chosen


def intersection_over_union(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """Intersection over union of two choices of pixels.

    Args:
        a: (N,) bool, or None.
        b: (N,) bool, or None.

    Returns:
        0 to 1; NaN if either is None.
    """
    return float("nan") if a is None or b is None else float((a & b).sum() / (a | b).sum())


def top_overlap(a: np.ndarray, b: np.ndarray, share: float = 0.1) -> float:
    """Intersection over union of the pixels with the highest values.

    Args:
        a: Any shape.
        b: The same shape.
        share: Of the pixels, 0 to 1.

    Returns:
        0 to 1; NaN if either is uniform.
    """
    return intersection_over_union(top_pixels(a, share), top_pixels(b, share))
