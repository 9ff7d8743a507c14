"""Clusters of constructed kernels with known families."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.fixtures.kernel_sets import kernel_set
from transxnet.errors import OutOfRange
from transxnet.explain.kernels.clusters import kernel_clusters
from transxnet.explain.kernels.kernels import dissimilarity, representatives

FAMILY = np.array([0, 1, 0, 2, 0, 1, 0, 2, 1, 0])  # 5, 3 and 2 of a kind


def families(noise: float = 0.01):
    rng = np.random.default_rng(0)
    sizes = np.array([1, 100, 0.01, 3, 2, 0.1, 5, 40, 1, 1])
    kernels = (rng.standard_normal((3, 7, 7))[FAMILY] + noise * rng.standard_normal((10, 7, 7))) * sizes[:, None, None]
    return kernel_set(kernels)


def on_a_circle(degrees) -> object:
    """Kernels of two taps: the cosine similarity of two is the cosine of the angle between them."""
    kernels = np.zeros((len(degrees), 7, 7))
    kernels[:, 0, 0], kernels[:, 0, 1] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return kernel_set(kernels)


def total(distances: np.ndarray, medoids) -> float:
    return distances[:, list(medoids)].min(axis=1).sum()


def test_families_become_clusters_largest_first():
    clusters = kernel_clusters(families(), n=3)
    assert clusters.labels.tolist() == FAMILY.tolist()
    assert FAMILY[clusters.medoids].tolist() == [0, 1, 2]
    assert clusters.sizes.tolist() == [5, 3, 2]
    assert (clusters.similarity > 0.999).all()
    assert clusters.similarity[clusters.medoids].tolist() == [1, 1, 1]
    assert clusters.explained_ratio > 0.999
    np.testing.assert_array_equal(clusters.kernels, families().kernels[clusters.medoids])


def test_numbers_by_hand():
    """0, 10 and 20 degrees, and 90: the middle of the first three is their medoid, and 90 its own."""
    clusters = kernel_clusters(on_a_circle([0, 10, 20, 90]), n=2)
    assert clusters.medoids.tolist() == [1, 3]
    assert clusters.labels.tolist() == [0, 0, 0, 1]
    cos10, cos70, cos80 = np.cos(np.radians([10, 70, 80]))
    np.testing.assert_allclose(clusters.similarity, [cos10, 1, cos10, 1], atol=1e-6)
    np.testing.assert_allclose(clusters.cohesion, [(2 * cos10 + 1) / 3, 1], atol=1e-6)
    single_cost = min(2 * (1 - cos10) + 1 - cos80, (1 - cos10) + (1 - np.cos(np.radians(20))) + 1 - cos70)
    assert clusters.explained_ratio == pytest.approx(1 - 2 * (1 - cos10) / single_cost, abs=1e-5)


def test_negative_kernel_is_another_shape():
    clusters = kernel_clusters(on_a_circle([0, 0, 0, 180]), n=2)
    assert clusters.labels.tolist() == [0, 0, 0, 1]
    assert kernel_clusters(on_a_circle([0, 0, 0, 180]), n=1).explained_ratio == 0


def test_swap_improves_on_build():
    """BUILD takes 45 degrees, the middle of all, and keeps it; two medoids do better with one on either side."""
    kernel_set_ = on_a_circle([0, 10, 20, 45, 70, 80, 90])
    assert 3 in representatives(kernel_set_, 2)
    assert sorted(kernel_clusters(kernel_set_, 2).medoids) in ([1, 4], [2, 5])  # each other's mirror image


def test_swap_ends_at_the_optimum_here():
    """Against every choice of 3 of 14: SWAP reaches the optimum here; BUILD alone does not."""
    kernel_set_ = kernel_set(np.random.default_rng(4).standard_normal((14, 7, 7)))
    distances = dissimilarity(kernel_set_.kernels)
    lowest = min(total(distances, medoids) for medoids in combinations(range(14), 3))
    assert total(distances, kernel_clusters(kernel_set_, 3).medoids) == pytest.approx(lowest, rel=1e-9)
    assert total(distances, representatives(kernel_set_, 3)) > lowest + 1e-6


def test_more_clusters_than_channels_and_equal_kernels():
    clusters = kernel_clusters(families(), n=99)
    assert sorted(clusters.medoids) == list(range(10))
    assert clusters.sizes.tolist() == [1] * 10
    assert clusters.explained_ratio == 1
    equal = kernel_clusters(on_a_circle([0] * 6), n=2)
    assert equal.explained_ratio == 1
    assert equal.sizes.tolist() == [5, 1]  # a medoid belongs to itself also in a tie


def test_clusters_are_deterministic_and_labels_nearest():
    kernel_set_ = kernel_set(np.random.default_rng(1).standard_normal((60, 7, 7)))
    clusters, repeated = kernel_clusters(kernel_set_), kernel_clusters(kernel_set_)
    assert clusters.medoids.tolist() == repeated.medoids.tolist()
    assert len(set(clusters.medoids.tolist())) == 12
    similarities = 1 - dissimilarity(kernel_set_.kernels)[:, clusters.medoids]
    np.testing.assert_allclose(clusters.similarity, similarities.max(axis=1))
    assert 0 < kernel_clusters(kernel_set_, 4).explained_ratio < clusters.explained_ratio < 1


def test_zero_clusters_are_refused():
    with pytest.raises(OutOfRange, match="1 or more"):
        kernel_clusters(families(), 0)
