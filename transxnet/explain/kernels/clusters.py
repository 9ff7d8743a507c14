"""A dozen kernels that stand for all of a block's channels, and how many channels each stands for.

k-medoids by PAM (Kaufman and Rousseeuw, Finding Groups in Data, 1990, chapter 2) on 1 - cosine similarity, so shape
and sign count and size does not. BUILD is `kernels.representatives`; SWAP then exchanges one medoid for one other
channel, the exchange that helps most first, until none helps. Deterministic: ties go to the lower channel.

What it must not be read as: a medoid is a real channel of this image, not a mean; its cluster may hold weak kernels
and strong ones; and n is a choice, so `explained` says what this n leaves out.
"""

from __future__ import annotations

import numpy as np

from ...errors import OutOfRange
from ...results.kernels import KernelClusters, KernelSet
from .kernels import dissimilarity, representatives

BETTER = 1e-9  # an exchange must save more than rounding does


def clusters(kernel_set: KernelSet, n: int = 12) -> KernelClusters:
    """All C channels sorted by the shape of their kernels into min(n, C) clusters, largest first (then lower medoid).

    A channel belongs to the medoid it is most similar to. explained = 1 - S_n / S_1 with S_n the sum over channels of
    1 - cosine similarity to their medoid, and S_1 that of the best single medoid: 0 for one cluster, 1 where every
    channel has its medoid's shape (also where one shape is all there is).
    Raises OutOfRange for n below 1.
    """
    if n < 1:
        raise OutOfRange(f"{n} clusters of kernels cannot be made.", remedy="Choose 1 or more.")
    apart = dissimilarity(kernel_set.kernels)  # (C, C)
    medoids = _swap(apart, representatives(kernel_set, n))
    sizes = np.bincount(_nearest(apart, medoids), minlength=len(medoids))
    medoids = medoids[np.lexsort((medoids, -sizes))]
    labels = _nearest(apart, medoids)
    away = apart[np.arange(len(apart)), medoids[labels]]  # (C,)
    alone = apart.sum(axis=0).min()
    return KernelClusters(
        kernel_set.model, kernel_set.stage, kernel_set.block, medoids, kernel_set.kernels[medoids], labels,
        similarity=1 - away, explained=float(1 - away.sum() / alone) if alone > BETTER else 1.0,
    )  # fmt: skip


def _nearest(apart: np.ndarray, medoids: np.ndarray) -> np.ndarray:
    """Each channel's medoid, as an index into medoids, (C,); a medoid is its own even where another is as near."""
    labels = apart[:, medoids].argmin(axis=1)
    labels[medoids] = np.arange(len(medoids))
    return labels


def _swap(apart: np.ndarray, medoids: np.ndarray) -> np.ndarray:
    """PAM's SWAP: every round takes the one exchange that lowers the sum of distances most, until none does."""
    medoids = medoids.copy()
    cost = apart[:, medoids].min(axis=1).sum()
    while True:
        costs = np.stack([_exchanges(apart, medoids, i) for i in range(len(medoids))])  # (n, C)
        place, channel = np.unravel_index(costs.argmin(), costs.shape)
        if not costs[place, channel] < cost - BETTER:
            return medoids
        medoids[place], cost = channel, costs[place, channel]


def _exchanges(apart: np.ndarray, medoids: np.ndarray, i: int) -> np.ndarray:
    """(C,): the sum of distances with medoid i replaced by each channel in turn."""
    others = np.delete(medoids, i)
    nearest = apart[:, others].min(axis=1) if len(others) else np.full(len(apart), np.inf)
    return np.minimum(nearest, apart).sum(axis=1)  # row: the candidate, symmetric
