"""Ranks, their correlation and overlaps, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.explain.ranks import (
    average_ranks,
    chance_deviation,
    descending_order,
    is_uniform,
    spearman,
    top_overlap,
)


def test_equal_values_share_the_mean_of_their_ranks():
    assert average_ranks(np.float32([10, 30, 20, 20])).tolist() == [1, 4, 2.5, 2.5]
    assert average_ranks(np.float32([[5, 5], [5, 1]])).tolist() == [3, 3, 3, 1]


def test_spearman_without_ties():
    # d = rank differences 0, 1, -1, 1, -1: 1 - 6 * 4 / (5 * 24)
    assert spearman(np.array([1, 2, 3, 4, 5]), np.array([10, 30, 20, 50, 40])) == pytest.approx(0.8)


def test_spearman_with_ties():
    # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4, less their mean 2.5: 4.5 / sqrt(4.5 * 5)
    assert spearman(np.array([1, 2, 2, 3]), np.array([4, 5, 6, 7])) == pytest.approx(4.5 / np.sqrt(22.5))


def test_correlation_ignores_scale_but_not_sign():
    a = np.random.default_rng(0).standard_normal((5, 7))
    assert spearman(a, np.exp(3 * a)) == pytest.approx(1)
    assert spearman(a, -a) == pytest.approx(-1)


def test_uniform_maps_have_no_ranks():
    ramp = np.arange(4.0)
    for empty in (np.zeros(4), np.array([1, 2, np.nan, 3]), np.array([1, 2, np.inf, 3])):
        assert is_uniform(empty)
        assert np.isnan(spearman(empty, ramp))
        assert np.isnan(top_overlap(ramp, empty))
    assert not is_uniform(ramp)


def test_rounding_does_not_make_ranks():
    """A random model's attention differs by 2e-5 of its size: ranks of that would be ranks of rounding."""
    ramp = np.arange(4.0)
    assert is_uniform(1 / 64 + 3e-7 * ramp)
    assert np.isnan(spearman(1 / 64 + 3e-7 * ramp, ramp))
    assert is_uniform(-5 + 1e-3 * ramp)
    assert not is_uniform(-5 + 2e-3 * ramp)  # a spread of 0.006 of 5
    assert not is_uniform(1e-9 * ramp)  # small, but not uniform


def test_shapes_must_match():
    ramp = np.arange(4.0)
    with pytest.raises(ValueError, match="different shapes"):
        spearman(ramp, ramp[:3])


def test_descending_order_randomizes_ties_and_nan_is_last():
    assert descending_order(np.array([[0.5, np.nan], [2, -1]])).tolist() == [2, 0, 3, 1]
    flat = np.zeros((40, 40))
    order = descending_order(flat)
    assert sorted(order) == list(range(1600))
    rows = order[:160] // 40  # a tenth, which in reading order would be the top four rows
    assert 15 < rows.mean() < 25
    assert (order == descending_order(flat)).all()
    assert (order != descending_order(flat, seed=1)).any()


def test_top_overlap_by_hand():
    a, b = np.arange(20.0), np.arange(20.0)
    b[[19, 0]] = b[[0, 19]]  # the two highest of a are 18 and 19, of b 0 and 18
    assert top_overlap(a, b, 0.1) == pytest.approx(1 / 3)
    assert top_overlap(a, a, 0.1) == 1
    assert top_overlap(a, -a, 0.1) == 0
    assert top_overlap(a, b, 0.01) == 0  # at least one pixel: 19 against 0


def test_smooth_maps_correlate_by_chance():
    """Unrelated maps: the estimate is the spread that they have, 1 / sqrt(n - 1) only if they are not smooth."""
    rng = np.random.default_rng(0)
    for smooth in (False, True):
        maps = rng.standard_normal((60, 11, 11))
        if smooth:  # means over 4 × 4 values
            maps = np.lib.stride_tricks.sliding_window_view(maps, (4, 4), axis=(1, 2)).mean(axis=(3, 4))
        else:
            maps = maps[:, :8, :8]
        pairs = list(zip(maps[::2], maps[1::2], strict=True))
        spread = np.sqrt(np.mean([spearman(a, b) ** 2 for a, b in pairs]))
        estimate = np.sqrt(np.mean([chance_deviation(a, b) ** 2 for a, b in pairs]))
        assert estimate == pytest.approx(spread, rel=0.25)
        assert (estimate > 1.7 / np.sqrt(63)) == smooth
    assert np.isnan(chance_deviation(np.zeros((3, 3)), maps[0][:3, :3]))
