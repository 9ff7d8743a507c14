"""Differences of variants' maps, worked out on a few pixels."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.errors import LensError
from transxnet.explain.sanity.differences import as_map, compare, in_common, is_even
from transxnet.results import AttentionFrom, Explanation, Geometry

WHOLE = Geometry((4, 4), 1, (4, 4), (0, 0, 8, 8), (8, 8))  # two upload pixels a view pixel
INNER = Geometry((4, 4), 1, (4, 4), (2, 2, 6, 6), (8, 8))  # the middle of it, at full size
RAMP = np.arange(16.0).reshape(4, 4)


def explanation(heatmap, geometry: Geometry) -> Explanation:
    return Explanation("cam", "stub", "stage 4", "class 0", np.float32(heatmap), True, "logit", geometry)


def test_second_minus_first_on_what_both_saw():
    """The middle 2 x 2 pixels: 5, 6, 9, 10 of the outer view; means of 2 x 2 pixels of the inner one, ten times."""
    found = compare({"outer": explanation(RAMP, WHOLE), "inner": explanation(10 * RAMP, INNER)}, share=0.25)
    (one,) = found.differences
    assert (one.first, one.second) == ("outer", "inner")
    assert one.values.tolist() == [[20, 39], [96, 115]]
    assert one.values.dtype == np.float32
    assert one.mean_absolute == pytest.approx(67.5)
    assert one.correlation == pytest.approx(1)
    assert (one.overlap, one.overlap_by_chance) == (1, 0.25)
    g = found.geometry
    assert (g.grid, g.stride, g.input_size, g.crop_box, g.source_size) == ((2, 2), 1, (2, 2), (2, 2, 6, 6), (8, 8))
    assert g.center_in_source(0, 1) == (4.5, 2.5)  # the middle of upload pixels 4 and 5, 2 and 3


def test_every_pair_and_what_the_highest_have_in_common():
    """The four highest of a ramp are the last row, of its transpose the last column: one pixel of four in common."""
    maps = {"a": explanation(RAMP, WHOLE), "b": explanation(RAMP.T, WHOLE), "c": explanation(-RAMP, WHOLE)}
    ab, ac, bc = compare(maps, share=0.25).differences
    assert [(d.first, d.second) for d in (ab, ac, bc)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert ab.overlap == pytest.approx(1 / 4)
    # centerd ranks are 4 r + c and 4 c + r, r and c ±0.5, ±1.5, their squares adding up to 20: 8 * 20 over 17 * 20
    assert ab.correlation == pytest.approx(160 / 340)
    assert (ac.correlation, ac.overlap) == (pytest.approx(-1), 0)
    assert ac.mean_absolute == pytest.approx(15)  # 2 * 7.5
    assert (bc.values == -RAMP - RAMP.T).all()


def test_an_even_map_differs_in_values_and_ranks_nothing():
    (one,) = compare({"a": explanation(RAMP, WHOLE), "b": explanation(np.full((4, 4), 7.0), WHOLE)}).differences
    assert one.values[0, 0] == 7
    assert np.isnan([one.correlation, one.overlap]).all()


def test_what_only_rounding_makes_differ():
    """A thousandth of the larger map's largest magnitude is the line; the first map's size counts as the second's."""
    even = np.full((4, 4), -8.0)
    for apart, expected in ((0.0079, True), (0.0081, False)):
        moved = even.copy()
        moved[1, 2] += apart
        (one,) = compare({"a": explanation(even, WHOLE), "b": explanation(moved, WHOLE)}).differences
        assert one.largest == 8
        assert one.only_rounding is expected
        found = compare({"a": explanation(even, WHOLE), "b": explanation(moved, WHOLE)})
        assert found.largest == (8 if expected else pytest.approx(apart, rel=1e-4))


def test_even_maps():
    assert is_even(np.float32([[1.0, 1.009]]))
    assert not is_even(np.float32([[1.0, 1.011]]))
    assert not is_even(np.zeros((2, 2)))  # nothing is no weight
    assert not is_even(np.float32([[-1.0, 1.0]]))


def test_the_overlaps_two_measures():
    assert in_common(1 / 7) == pytest.approx(1 / 4)  # one of four in common: seven in all
    assert (in_common(0.0), in_common(1.0)) == (0, 1)


def test_no_maps_are_refused():
    with pytest.raises(LensError, match="not of one image"):
        compare({})


def test_attention_as_a_map_is_its_mean_over_heads():
    heads = np.float32([[[0.5, 0.5]], [[0.0, 1.0]]])
    keys = Geometry((1, 2), 32, (64, 64), (0, 0, 64, 64), (64, 64))
    found = as_map(AttentionFrom("pico", 3, 2, (1, 4), heads, np.zeros(2), np.zeros(2), keys, keys))
    assert found.heatmap.tolist() == [[0.25, 0.75]]
    assert (found.layer, found.target, found.units) == ("stage 3, block 2", "query at row 1, column 4", "weight")
    assert found.geometry is keys
