"""Agreement and differences of maps, computed by hand on a few pixels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.positions import center_in_source
from transxnet.errors import LensError
from transxnet.explain.sanity.agreement import (
    agreement,
    agreement_between_models,
    attention_map,
    compare_maps,
    is_nearly_uniform,
    overlap_fraction,
)
from transxnet.results import AttentionFrom, Explanation, Geometry

OUTER = Geometry((4, 4), 1, (4, 4), (0, 0, 8, 8), (8, 8))  # two upload pixels a view pixel
INNER = Geometry((4, 4), 1, (4, 4), (2, 2, 6, 6), (8, 8))  # the middle of it, at full size

RAMP = np.arange(16.0).reshape(4, 4)


def explanation(heatmap, geometry: Geometry) -> Explanation:
    return Explanation("cam", "stub", "stage 4", "class 0", np.float32(heatmap), True, "logit", geometry)


def test_methods_agree_on_input_pixels():
    coarse = explanation([[0, 3], [0, 3]], Geometry((2, 2), 3, (4, 4), (0, 0, 8, 8), (8, 8)))  # columns 0, 1, 2, 3
    result = agreement({"a": explanation(RAMP, OUTER), "b": coarse, "c": explanation(-RAMP, OUTER)}, share=0.25)
    assert result.names == ("a", "b", "c")
    assert result.values[1].tolist() == [[0, 1, 2, 3]] * 4
    # ranks of a by rows: 1 … 16; of b by columns: 2.5, 6.5, 10.5, 14.5 four times, centerd ±6, ±2
    # sum over pixels: a's column means are 7, 8, 9, 10, centerd -1.5 … 1.5: 4 * (9 + 1 + 1 + 9) over sqrt(340 * 320)
    assert result.correlation[0, 1] == pytest.approx(4 * 20 / np.sqrt(340 * 320))
    assert result.correlation[0, 2] == pytest.approx(-1)
    assert np.diag(result.correlation) == pytest.approx(1)
    # the four highest of a are the last row, of b the last column: one pixel in common
    assert result.overlap[0, 1] == pytest.approx(1 / 7)
    assert result.overlap[0, 2] == 0
    assert (result.correlation == result.correlation.T).all()
    assert result.chance_overlap == pytest.approx(0.25 / 1.75)
    assert result.box == (0, 0, 8, 8)


def test_models_agree_on_the_common_part():
    """The common part is the inner view; the outer view's pixels, the coarser ones, are the grid: 2 x 2."""
    result = agreement_between_models(
        {"outer": explanation(RAMP, OUTER), "inner": explanation(10 * RAMP, INNER)}, share=0.25
    )
    assert result.box == (2, 2, 6, 6)
    assert result.values[0].tolist() == [[5, 6], [9, 10]]  # its own middle pixels
    # upload (2.5, 2.5) is between pixels 0 and 1 of the inner view, which are 1 upload pixel wide
    assert result.values[1].tolist() == [[25, 45], [105, 125]]  # raw, means of 2 x 2 pixels
    assert result.correlation[0, 1] == pytest.approx(1)
    assert result.overlap[0, 1] == 1
    transposed = agreement_between_models(
        {"outer": explanation(RAMP, OUTER), "inner": explanation(RAMP.T, INNER)}, share=0.25
    )
    assert transposed.correlation[0, 1] == pytest.approx(0.8)  # ranks 1 2 3 4 and 1 3 2 4
    assert transposed.overlap[0, 1] == 1  # the same corner


def test_uniform_maps_have_no_agreement():
    result = agreement({"a": explanation(RAMP, OUTER), "flat": explanation(np.ones((4, 4)), OUTER)})
    assert np.isnan(result.correlation[1]).all()
    assert np.isnan(result.overlap[:, 1]).all()
    assert result.correlation[0, 0] == pytest.approx(1)


def test_incompatible_maps_are_refused():
    a = explanation(RAMP, OUTER)
    with pytest.raises(LensError, match="one view, and these maps are of 2"):
        agreement({"a": a, "b": explanation(RAMP, INNER)})
    with pytest.raises(LensError, match="of 0"):
        agreement({})
    with pytest.raises(LensError, match="not of one image"):
        agreement_between_models({"a": a, "b": explanation(RAMP, Geometry((4, 4), 1, (4, 4), (0, 0, 4, 4), (9, 9)))})
    left = explanation(RAMP, Geometry((4, 4), 1, (4, 4), (0, 0, 4, 8), (8, 8)))
    right = explanation(RAMP, Geometry((4, 4), 1, (4, 4), (4, 0, 8, 8), (8, 8)))
    with pytest.raises(LensError, match="in common"):
        agreement_between_models({"a": left, "b": right})


# ---- Differences ----------------------------------------------------------------------------------------------------


def test_difference_is_second_minus_first():
    """The middle 2 x 2 pixels: 5, 6, 9, 10 of the outer view; means of 2 x 2 pixels of the inner one, ten times."""
    result = compare_maps({"outer": explanation(RAMP, OUTER), "inner": explanation(10 * RAMP, INNER)}, share=0.25)
    (difference,) = result.differences
    assert (difference.first, difference.second) == ("outer", "inner")
    assert difference.values.tolist() == [[20, 39], [96, 115]]
    assert difference.values.dtype == np.float32
    assert difference.mean_absolute == pytest.approx(67.5)
    assert difference.correlation == pytest.approx(1)
    assert (difference.overlap, difference.chance_overlap) == (1, 0.25)
    g = result.geometry
    assert (g.grid, g.stride, g.input_size, g.crop_box, g.source_size) == ((2, 2), 1, (2, 2), (2, 2, 6, 6), (8, 8))
    assert center_in_source(g, 0, 1) == (4.5, 2.5)  # the middle of upload pixels 4 and 5, 2 and 3


def test_every_pair_has_overlap_and_correlation():
    """The four highest of a ramp are the last row, of its transpose the last column: one pixel of four in common."""
    maps = {"a": explanation(RAMP, OUTER), "b": explanation(RAMP.T, OUTER), "c": explanation(-RAMP, OUTER)}
    ab, ac, bc = compare_maps(maps, share=0.25).differences
    assert [(d.first, d.second) for d in (ab, ac, bc)] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert ab.overlap == pytest.approx(1 / 4)
    # centerd ranks are 4 r + c and 4 c + r, r and c ±0.5, ±1.5, their squares adding up to 20: 8 * 20 over 17 * 20
    assert ab.correlation == pytest.approx(160 / 340)
    assert (ac.correlation, ac.overlap) == (pytest.approx(-1), 0)
    assert ac.mean_absolute == pytest.approx(15)  # 2 * 7.5
    assert (bc.values == -RAMP - RAMP.T).all()


def test_uniform_maps_have_values_but_no_ranks():
    (difference,) = compare_maps(
        {"a": explanation(RAMP, OUTER), "b": explanation(np.full((4, 4), 7.0), OUTER)}
    ).differences
    assert difference.values[0, 0] == 7
    assert np.isnan([difference.correlation, difference.overlap]).all()


def test_rounding_differences_are_detected():
    """A thousandth of the larger map's largest magnitude is the line; the first map's size counts as the second's."""
    uniform = np.full((4, 4), -8.0)
    for change, expected in ((0.0079, True), (0.0081, False)):
        changed = uniform.copy()
        changed[1, 2] += change
        (difference,) = compare_maps({"a": explanation(uniform, OUTER), "b": explanation(changed, OUTER)}).differences
        assert difference.largest == 8
        assert difference.only_rounding is expected
        result = compare_maps({"a": explanation(uniform, OUTER), "b": explanation(changed, OUTER)})
        assert result.largest == (8 if expected else pytest.approx(change, rel=1e-4))


def test_nearly_uniform_maps_are_detected():
    assert is_nearly_uniform(np.float32([[1.0, 1.009]]))
    assert not is_nearly_uniform(np.float32([[1.0, 1.011]]))
    assert not is_nearly_uniform(np.zeros((2, 2)))  # zeros are no weights
    assert not is_nearly_uniform(np.float32([[-1.0, 1.0]]))


def test_overlap_fraction_follows_from_iou():
    assert overlap_fraction(1 / 7) == pytest.approx(1 / 4)  # one of four in common: seven in all
    assert (overlap_fraction(0.0), overlap_fraction(1.0)) == (0, 1)


def test_no_maps_to_compare_are_refused():
    with pytest.raises(LensError, match="not of one image"):
        compare_maps({})


def test_attention_map_is_the_mean_over_heads():
    heads = np.float32([[[0.5, 0.5]], [[0.0, 1.0]]])
    keys = Geometry((1, 2), 32, (64, 64), (0, 0, 64, 64), (64, 64))
    result = attention_map(AttentionFrom("pico", 3, 2, (1, 4), heads, np.zeros(2), np.zeros(2), keys, keys))
    assert result.heatmap.tolist() == [[0.25, 0.75]]
    assert (result.layer, result.target, result.units) == ("stage 3, block 2", "query at row 1, column 4", "weight")
    assert result.geometry is keys
