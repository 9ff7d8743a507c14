"""IDConv's kernels: of one block, their frequency response, clusters, change between images, and over depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .layer import LayerResult


@dataclass(frozen=True)
class KernelSet(LayerResult):
    """The depthwise kernels that IDConv generated for one image in one block. C channels, G groups, K = 7.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        kernels: (C, K, K), generated.
        static_kernels: (C, K, K), what uniform gates would give: the mean of the G learned kernels.
        gates: (G, C, K, K), mixing weights; sum to 1 over G.
        biases: (C,), generated.
        bias_gates: (G, C), sum to 1 over G.
        gate_entropy: (C,), entropy over groups divided by log G, mean over taps, 0 to 1.
        static_distance: (C,), ||kernel - static|| / ||static||.
    """

    kernels: np.ndarray
    static_kernels: np.ndarray
    gates: np.ndarray
    biases: np.ndarray
    bias_gates: np.ndarray
    gate_entropy: np.ndarray
    static_distance: np.ndarray

    @property
    def gate_entropies(self) -> np.ndarray:
        """(C, K, K): `gate_entropy` before its mean over taps."""
        return gate_entropies(self.gates)

    @property
    def tap_entropy(self) -> np.ndarray:
        """(K, K), 0 to 1: `gate_entropies`, mean over channels. Low where the image decides which kernel is used."""
        return self.gate_entropies.mean(axis=0)


@dataclass(frozen=True)
class KernelSpectrum(LayerResult):
    """Frequency response of one block's kernels: |FFT| of each, zero-padded to n x n.

    Frequencies are in cycles per unit of the stage; divide by the stage's stride for cycles per model-input pixel.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        kernel_type: "generated" or "static".
        response: (n, n), |FFT|, mean over channels, frequency 0 in row and column n // 2.
        frequencies: (n,), of rows and of columns, -0.5 to below 0.5.
        radii: (R,), radial frequency of the rings, 0 to 0.5 sqrt(2), 1 / n apart.
        profiles: (C, R), |FFT| of each channel, mean over each ring.
        dc_gain: (C,), sum of the taps, signed.
        centroid: (C,), mean radial frequency weighted by |FFT|; NaN for a kernel of zeros.
    """

    kernel_type: str
    response: np.ndarray
    frequencies: np.ndarray
    radii: np.ndarray
    profiles: np.ndarray
    dc_gain: np.ndarray
    centroid: np.ndarray

    @property
    def profile(self) -> np.ndarray:
        """(R,): mean of `profiles` over channels."""
        return self.profiles.mean(axis=0)


@dataclass(frozen=True)
class KernelClusters(LayerResult):
    """All C channels of one block in n clusters of similar shape, each represented by its medoid; largest first.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        medoids: (n,) int, channels from 0.
        kernels: (n, K, K), kernels of the medoids.
        labels: (C,) int, each channel's cluster, an index into `medoids`.
        similarity: (C,), cosine similarity of each channel's kernel to its medoid's, 1 for the medoid.
        explained_ratio: 1 - S_n / S_1, S_n the sum of (1 - similarity) with n medoids; 0 to 1.
    """

    medoids: np.ndarray
    kernels: np.ndarray
    labels: np.ndarray
    similarity: np.ndarray
    explained_ratio: float

    @property
    def sizes(self) -> np.ndarray:
        """(n,) int: number of channels in each cluster, the medoid included."""
        return np.bincount(self.labels, minlength=len(self.medoids))

    @property
    def cohesion(self) -> np.ndarray:
        """(n,): mean similarity of a cluster's channels, the medoid included, to their medoid."""
        return np.bincount(self.labels, self.similarity, len(self.medoids)) / self.sizes


@dataclass(frozen=True)
class KernelChange(LayerResult):
    """The kernels of one block for two images. Distances are relative to the norm of the channel's static kernel.

    Attributes:
        model: Name of the model.
        stage: From 1.
        block: From 1.
        first: (C, K, K), kernels for the first image.
        second: (C, K, K), kernels for the second image.
        static_kernels: (C, K, K).
        distance: (C,), ||first - second|| / ||static||; NaN where the static kernel is all zeros.
        similarity: (C,), cosine similarity of first and second; NaN where either is all zeros.
        gate_change: (C,), absolute difference of the gates, mean over groups and taps, 0 to 1.
        static_distance: (2, C), ||first - static|| / ||static||, and the same of second.
    """

    first: np.ndarray
    second: np.ndarray
    static_kernels: np.ndarray
    distance: np.ndarray
    similarity: np.ndarray
    gate_change: np.ndarray
    static_distance: np.ndarray

    @property
    def relative_change(self) -> float:
        """Median `distance` over the median of `static_distance`.

        Above 1, kernels differ more between the two images than either differs from the static kernel. NaN where no
        kernel differs from its static kernel.
        """
        between_images, from_static = np.nanmedian(self.distance), np.nanmedian(self.static_distance)
        return float(between_images / from_static) if from_static > 0 else float("nan")


@dataclass(frozen=True)
class KernelDepth:
    """Distance to the static kernel and gate entropy of every block for one image, in the model's order. N blocks.

    Attributes:
        model: Name of the model.
        stages: (N,) int, from 1.
        blocks: (N,) int, from 1.
        groups: (N,) int, G; with 1 there is nothing to mix.
        static_distance: (N, 3), quartiles over channels (25%, 50%, 75%) of ||kernel - static|| / ||static||.
        gate_entropy: (N,), mean over channels and taps, 0 to 1.
    """

    model: str
    stages: np.ndarray
    blocks: np.ndarray
    groups: np.ndarray
    static_distance: np.ndarray
    gate_entropy: np.ndarray

    @property
    def median_static_distance(self) -> np.ndarray:
        """(N,): median over channels."""
        return self.static_distance[:, 1]


def gate_entropies(gates: np.ndarray) -> np.ndarray:
    """Normalized entropy over groups: -sum(g log g) / log G.

    Args:
        gates: (G, …), sum to 1 over G.

    Returns:
        (…) float32, 0 (one group) to 1 (uniform); 0 where G is 1.
    """
    if len(gates) == 1:
        return np.zeros(gates.shape[1:], np.float32)
    gates = gates.astype(np.float64)
    nats = -(gates * np.log(np.where(gates > 0, gates, 1))).sum(axis=0)  # 0 log 0 = 0
    return (nats / np.log(len(gates))).astype(np.float32)
