"""Clusters of kernels made by hand, whose families are known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tests.kernel_sets import kernel_set
from transxnet.errors import OutOfRange
from transxnet.explain.kernels.clusters import clusters
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


def total(apart: np.ndarray, medoids) -> float:
    return apart[:, list(medoids)].min(axis=1).sum()


def test_families_are_found_whatever_their_size_largest_first():
    found = clusters(families(), n=3)
    assert found.labels.tolist() == FAMILY.tolist()
    assert FAMILY[found.medoids].tolist() == [0, 1, 2]
    assert found.sizes.tolist() == [5, 3, 2]
    assert (found.similarity > 0.999).all()
    assert found.similarity[found.medoids].tolist() == [1, 1, 1]
    assert found.explained > 0.999
    np.testing.assert_array_equal(found.kernels, families().kernels[found.medoids])


def test_numbers_by_hand():
    """0, 10 and 20 degrees, and 90: the middle of the three stands for them, and 90 for itself."""
    found = clusters(on_a_circle([0, 10, 20, 90]), n=2)
    assert found.medoids.tolist() == [1, 3]
    assert found.labels.tolist() == [0, 0, 0, 1]
    cos10, cos70, cos80 = np.cos(np.radians([10, 70, 80]))
    np.testing.assert_allclose(found.similarity, [cos10, 1, cos10, 1], atol=1e-6)
    np.testing.assert_allclose(found.cohesion, [(2 * cos10 + 1) / 3, 1], atol=1e-6)
    alone = min(2 * (1 - cos10) + 1 - cos80, (1 - cos10) + (1 - np.cos(np.radians(20))) + 1 - cos70)
    assert found.explained == pytest.approx(1 - 2 * (1 - cos10) / alone, abs=1e-5)


def test_a_kernel_and_its_negative_are_two_shapes():
    found = clusters(on_a_circle([0, 0, 0, 180]), n=2)
    assert found.labels.tolist() == [0, 0, 0, 1]
    assert clusters(on_a_circle([0, 0, 0, 180]), n=1).explained == 0


def test_swap_mends_what_build_got_wrong():
    """BUILD takes 45 degrees, the middle of all, and keeps it; two medoids do better with one on either side."""
    given = on_a_circle([0, 10, 20, 45, 70, 80, 90])
    assert 3 in representatives(given, 2)
    assert sorted(clusters(given, 2).medoids) in ([1, 4], [2, 5])  # each other's mirror image


def test_no_choice_of_three_is_better_where_swap_stops():
    """Against every choice of 3 of 14: SWAP's end is the best there is here; BUILD's alone is not."""
    given = kernel_set(np.random.default_rng(4).standard_normal((14, 7, 7)))
    apart = dissimilarity(given.kernels)
    best = min(total(apart, chosen) for chosen in combinations(range(14), 3))
    assert total(apart, clusters(given, 3).medoids) == pytest.approx(best, rel=1e-9)
    assert total(apart, representatives(given, 3)) > best + 1e-6


def test_more_clusters_than_channels_and_kernels_all_alike():
    every = clusters(families(), n=99)
    assert sorted(every.medoids) == list(range(10))
    assert every.sizes.tolist() == [1] * 10
    assert every.explained == 1
    alike = clusters(on_a_circle([0] * 6), n=2)
    assert alike.explained == 1
    assert alike.sizes.tolist() == [5, 1]  # a medoid is its own, though the other is as near


def test_always_the_same_and_each_channel_with_its_most_similar_medoid():
    given = kernel_set(np.random.default_rng(1).standard_normal((60, 7, 7)))
    found, again = clusters(given), clusters(given)
    assert found.medoids.tolist() == again.medoids.tolist()
    assert len(set(found.medoids.tolist())) == 12
    similar = 1 - dissimilarity(given.kernels)[:, found.medoids]
    np.testing.assert_allclose(found.similarity, similar.max(axis=1))
    assert 0 < clusters(given, 4).explained < found.explained < 1


def test_no_clusters_are_refused():
    with pytest.raises(OutOfRange, match="1 or more"):
        clusters(families(), 0)
