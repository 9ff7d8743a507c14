"""Representative kernels for all channels of a block, and how many channels each represents.

k-medoids by PAM (Kaufman and Rousseeuw, Finding Groups in Data, 1990, chapter 2) on 1 - cosine similarity, so that
shape and sign count and scale does not. BUILD is `kernels.representatives`; SWAP then repeatedly makes the exchange of
one medoid for another channel that lowers the cost most, until none does. Deterministic: ties go to the lower channel.

Limitations: a medoid is a real channel for this image, not a mean; its cluster may hold weak kernels and strong ones;
and n is a choice: `explained_ratio` says how much this n explains.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange
from ...results.kernels import KernelClusters, KernelSet
from .kernels import dissimilarity, representatives

MIN_GAIN = 1e-9  # an exchange must save more than rounding error


def kernel_clusters(kernel_set: KernelSet, n: int = 12) -> KernelClusters:
    """Cluster all C channels by the shape of their kernels into min(n, C) clusters.

    A channel belongs to the medoid that it is most similar to. explained_ratio = 1 - S_n / S_1, S_n the sum over
    channels of 1 - cosine similarity to their medoid, S_1 that of the best single medoid: 0 for one cluster, 1 where
    every channel has its medoid's shape (also where all channels have one shape).

    Args:
        kernel_set: Kernels of one block.
        n: Number of clusters.

    Returns:
        Clusters, largest first, then lower medoid first.

    Raises:
        OutOfRange: For n below 1.
    """
    if n < 1:
        raise OutOfRange(f"{n} clusters of kernels cannot be made.", remedy="Choose 1 or more.")
    distances = dissimilarity(kernel_set.kernels)  # (C, C)
    medoids = _swap(distances, representatives(kernel_set, n))
    sizes = np.bincount(_nearest_medoid(distances, medoids), minlength=len(medoids))
    medoids = medoids[np.lexsort((medoids, -sizes))]
    labels = _nearest_medoid(distances, medoids)
    to_medoid = distances[np.arange(len(distances)), medoids[labels]]  # (C,)
    single_cost = distances.sum(axis=0).min()
    return KernelClusters(
        kernel_set.model, kernel_set.stage, kernel_set.block, medoids, kernel_set.kernels[medoids], labels,
        similarity=1 - to_medoid,
        explained_ratio=float(1 - to_medoid.sum() / single_cost) if single_cost > MIN_GAIN else 1.0,
    )  # fmt: skip


def _nearest_medoid(distances: np.ndarray, medoids: np.ndarray) -> np.ndarray:
    """(C,): each channel's nearest medoid, as an index into medoids; a medoid belongs to itself also in a tie."""
    labels = distances[:, medoids].argmin(axis=1)
    labels[medoids] = np.arange(len(medoids))
    return labels


def _swap(distances: np.ndarray, medoids: np.ndarray) -> np.ndarray:
    """PAM's SWAP: each round makes the one exchange that lowers the sum of distances most, until none does."""
    medoids = medoids.copy()
    cost = distances[:, medoids].min(axis=1).sum()
    while True:
        costs = np.stack([_exchange_costs(distances, medoids, i) for i in range(len(medoids))])  # (n, C)
        i, channel = np.unravel_index(costs.argmin(), costs.shape)
        if not costs[i, channel] < cost - MIN_GAIN:
            return medoids
        medoids[i], cost = channel, costs[i, channel]


def _exchange_costs(distances: np.ndarray, medoids: np.ndarray, i: int) -> np.ndarray:
    """(C,): the sum of distances with medoid i replaced by each channel in turn."""
    remaining = np.delete(medoids, i)
    nearest = distances[:, remaining].min(axis=1) if len(remaining) else np.full(len(distances), np.inf)
    return np.minimum(nearest, distances).sum(axis=1)  # row: the candidate; distances are symmetric
