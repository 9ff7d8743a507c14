"""The kernels of one block, and what is read from them: frequencies, clusters, change between images, depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KernelSet:
    """The depthwise kernels IDConv generated for one image in one block. C channels, G groups, K = 7."""

    model: str
    stage: int
    block: int
    kernels: np.ndarray  # (C, K, K) composed
    static: np.ndarray  # (C, K, K) what uniform gates would give: the mean of the G learned kernels
    gates: np.ndarray  # (G, C, K, K), sums to 1 over G
    biases: np.ndarray  # (C,)
    bias_gates: np.ndarray  # (G, C)
    gate_entropy: np.ndarray  # (C,): entropy over groups / log G, mean over taps, 0 to 1
    distance: np.ndarray  # (C,): ||kernel - static|| / ||static||

    @property
    def entropies(self) -> np.ndarray:
        """Entropy of every gate, (C, K, K): `gate_entropy` before its mean over taps."""
        return gate_entropies(self.gates)

    @property
    def tap_entropy(self) -> np.ndarray:
        """Where in the kernel the image decides: entropy over groups / log G, mean over channels, (K, K), 0 to 1."""
        return self.entropies.mean(axis=0)


@dataclass(frozen=True)
class KernelSpectrum:
    """Which spatial frequencies one block's kernels pass: |FFT| of each, zero-padded to n x n.

    Frequencies in cycles per unit of the stage; divided by the stage's stride, in cycles per view pixel.
    """

    model: str
    stage: int
    block: int
    part: str  # "kernels" (generated) or "static"
    response: np.ndarray  # (n, n): |FFT|, mean over channels, frequency 0 in row and column n // 2
    frequencies: np.ndarray  # (n,): of the rows and of the columns, -0.5 to below 0.5
    radii: np.ndarray  # (R,): of the rings, 0 to 0.5 sqrt(2), 1 / n apart
    profiles: np.ndarray  # (C, R): |FFT| of each channel, mean over each ring
    dc_gain: np.ndarray  # (C,): the sum of the taps, with its sign
    centroid: np.ndarray  # (C,): mean radial frequency, weighted by |FFT|; NaN for a kernel of zeros

    @property
    def profile(self) -> np.ndarray:
        """(R,): mean of `profiles` over channels."""
        return self.profiles.mean(axis=0)


@dataclass(frozen=True)
class KernelClusters:
    """All C channels of one block sorted into n groups of like shape, each shown by its medoid; largest first."""

    model: str
    stage: int
    block: int
    medoids: np.ndarray  # (n,) int: channels, from 0
    kernels: np.ndarray  # (n, K, K): the medoids' own
    labels: np.ndarray  # (C,) int: each channel's cluster, an index into medoids
    similarity: np.ndarray  # (C,): cosine similarity of each channel's kernel to its medoid's, 1 for the medoid
    explained: float  # share of variety: 1 - sum of (1 - similarity) / the same sum with one medoid for all

    @property
    def sizes(self) -> np.ndarray:
        """(n,) int: how many channels each medoid stands for, itself included."""
        return np.bincount(self.labels, minlength=len(self.medoids))

    @property
    def cohesion(self) -> np.ndarray:
        """(n,): mean similarity of a cluster's channels, the medoid included, to their medoid."""
        return np.bincount(self.labels, self.similarity, len(self.medoids)) / self.sizes


@dataclass(frozen=True)
class KernelChange:
    """The same block's kernels for two images. Distances are relative to the channel's static kernel."""

    model: str
    stage: int
    block: int
    first: np.ndarray  # (C, K, K)
    second: np.ndarray  # (C, K, K)
    static: np.ndarray  # (C, K, K)
    distance: np.ndarray  # (C,): ||first - second|| / ||static||; NaN where the static kernel is all zeros
    similarity: np.ndarray  # (C,): cosine similarity of first and second; NaN where either is all zeros
    gates: np.ndarray  # (C,): absolute difference of the gates, mean over groups and taps, 0 to 1
    from_static: np.ndarray  # (2, C): ||first - static|| / ||static||, and the second's

    @property
    def against_static(self) -> float:
        """Median `distance` over the median of `from_static`: above 1, the kernels move more between the two images
        than either moves away from the static kernel. NaN where neither moves at all."""
        moved, away = np.nanmedian(self.distance), np.nanmedian(self.from_static)
        return float(moved / away) if away > 0 else float("nan")


@dataclass(frozen=True)
class KernelDepth:
    """How far one image moved the kernels of every block, in the order of the blocks. N blocks."""

    model: str
    stages: np.ndarray  # (N,) int, from 1
    blocks: np.ndarray  # (N,) int, from 1
    groups: np.ndarray  # (N,) int: G; with 1 there is nothing to mix
    distance: np.ndarray  # (N, 3): quartiles over channels of ||kernel - static|| / ||static||: 25, 50, 75 %
    entropy: np.ndarray  # (N,): gate entropy, mean over channels and taps, 0 to 1

    @property
    def median(self) -> np.ndarray:
        """(N,): median distance from the static kernel."""
        return self.distance[:, 1]


def gate_entropies(gates: np.ndarray) -> np.ndarray:
    """(G, ...) gates that sum to 1 over G -> (...) float32: -sum(g log g) / log G; 0 where G is 1."""
    if len(gates) == 1:
        return np.zeros(gates.shape[1:], np.float32)
    g = gates.astype(np.float64)
    nats = -(g * np.log(np.where(g > 0, g, 1))).sum(axis=0)  # 0 log 0 = 0
    return (nats / np.log(len(gates))).astype(np.float32)
