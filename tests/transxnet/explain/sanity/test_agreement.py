"""Agreement between methods and between variants, worked out on a few pixels."""

from __future__ import annotations

import numpy as np
import pytest

from transxnet.errors import LensError
from transxnet.explain.sanity.agreement import agreement, agreement_between_variants
from transxnet.results import Explanation, Geometry

VIEW = Geometry((4, 4), 1, (4, 4), (0, 0, 8, 8), (8, 8))  # two upload pixels a view pixel
INNER = Geometry((4, 4), 1, (4, 4), (2, 2, 6, 6), (8, 8))  # the middle of it, at full size


def explanation(heatmap, geometry: Geometry) -> Explanation:
    return Explanation("cam", "stub", "stage 4", "class 0", np.float32(heatmap), True, "logit", geometry)


RAMP = np.arange(16.0).reshape(4, 4)


def test_methods_on_the_views_pixels():
    coarse = explanation([[0, 3], [0, 3]], Geometry((2, 2), 3, (4, 4), (0, 0, 8, 8), (8, 8)))  # columns 0, 1, 2, 3
    found = agreement({"a": explanation(RAMP, VIEW), "b": coarse, "c": explanation(-RAMP, VIEW)}, share=0.25)
    assert found.names == ("a", "b", "c")
    assert found.values[1].tolist() == [[0, 1, 2, 3]] * 4
    # ranks of a by rows: 1 … 16; of b by columns: 2.5, 6.5, 10.5, 14.5 four times, centerd ±6, ±2
    # sum over pixels: a's column means are 7, 8, 9, 10, centerd -1.5 … 1.5: 4 * (9 + 1 + 1 + 9) over sqrt(340 * 320)
    assert found.correlation[0, 1] == pytest.approx(4 * 20 / np.sqrt(340 * 320))
    assert found.correlation[0, 2] == pytest.approx(-1)
    assert np.diag(found.correlation) == pytest.approx(1)
    # the four highest of a are the last row, of b the last column: one pixel in common
    assert found.overlap[0, 1] == pytest.approx(1 / 7)
    assert found.overlap[0, 2] == 0
    assert (found.correlation == found.correlation.T).all()
    assert found.overlap_by_chance == pytest.approx(0.25 / 1.75)
    assert found.box == (0, 0, 8, 8)


def test_variants_on_what_both_saw():
    """The common part is the inner view; the outer view's pixels, the coarser ones, are the grid: 2 x 2."""
    found = agreement_between_variants(
        {"outer": explanation(RAMP, VIEW), "inner": explanation(10 * RAMP, INNER)}, share=0.25
    )
    assert found.box == (2, 2, 6, 6)
    assert found.values[0].tolist() == [[5, 6], [9, 10]]  # its own middle pixels
    # upload (2.5, 2.5) is between pixels 0 and 1 of the inner view, which are 1 upload pixel wide
    assert found.values[1].tolist() == [[25, 45], [105, 125]]  # raw, means of 2 x 2 pixels
    assert found.correlation[0, 1] == pytest.approx(1)
    assert found.overlap[0, 1] == 1
    turned = agreement_between_variants(
        {"outer": explanation(RAMP, VIEW), "inner": explanation(RAMP.T, INNER)}, share=0.25
    )
    assert turned.correlation[0, 1] == pytest.approx(0.8)  # ranks 1 2 3 4 and 1 3 2 4
    assert turned.overlap[0, 1] == 1  # the same corner


def test_a_blank_map_agrees_with_nothing():
    found = agreement({"a": explanation(RAMP, VIEW), "flat": explanation(np.ones((4, 4)), VIEW)})
    assert np.isnan(found.correlation[1]).all()
    assert np.isnan(found.overlap[:, 1]).all()
    assert found.correlation[0, 0] == pytest.approx(1)


def test_what_is_refused():
    a = explanation(RAMP, VIEW)
    with pytest.raises(LensError, match="one view, and these maps are of 2"):
        agreement({"a": a, "b": explanation(RAMP, INNER)})
    with pytest.raises(LensError, match="of 0"):
        agreement({})
    with pytest.raises(LensError, match="not of one image"):
        agreement_between_variants({"a": a, "b": explanation(RAMP, Geometry((4, 4), 1, (4, 4), (0, 0, 4, 4), (9, 9)))})
    left = explanation(RAMP, Geometry((4, 4), 1, (4, 4), (0, 0, 4, 8), (8, 8)))
    right = explanation(RAMP, Geometry((4, 4), 1, (4, 4), (4, 0, 8, 8), (8, 8)))
    with pytest.raises(LensError, match="in common"):
        agreement_between_variants({"a": left, "b": right})
