"""Interpolation of grids onto pixels, by hand: a value is at its unit's pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from transxnet.results import Geometry
from transxnet.results.placement import interpolate

STAGE_4 = Geometry((7, 7), 32, (224, 224), (0.0, 0.0, 224.0, 224.0), (224, 224))


def center_of_mass(heatmap: np.ndarray) -> tuple[float, float]:
    rows, columns = np.mgrid[: heatmap.shape[0], : heatmap.shape[1]]
    return float((rows * heatmap).sum() / heatmap.sum()), float((columns * heatmap).sum() / heatmap.sum())


@pytest.mark.parametrize(("row", "col"), [(3, 2), (1, 5)])
def test_unit_peaks_at_its_pixel(row, col):
    """At stride times its index, where an image resize is 15.5 pixels off."""
    heatmap = np.zeros((7, 7), np.float32)
    heatmap[row, col] = 1
    interpolated = interpolate(heatmap, STAGE_4)
    assert np.unravel_index(interpolated.argmax(), interpolated.shape) == (32 * row, 32 * col)
    assert center_of_mass(interpolated) == pytest.approx((32 * row, 32 * col), abs=1e-3)
    stretched = cv2.resize(heatmap, (224, 224), interpolation=cv2.INTER_LINEAR)
    assert center_of_mass(stretched) == pytest.approx((32 * row + 15.5, 32 * col + 15.5), abs=1e-3)


def test_interpolation_is_linear_and_extends_edges():
    heatmap = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    interpolated = interpolate(heatmap, STAGE_4)
    assert (interpolated[::32, ::32] == heatmap).all()
    assert interpolated[16, 0] == pytest.approx((heatmap[0, 0] + heatmap[1, 0]) / 2, abs=1e-6)
    assert interpolated[8, 24] == pytest.approx(
        0.75 * (0.25 * heatmap[0, 0] + 0.75 * heatmap[0, 1]) + 0.25 * (0.25 * heatmap[1, 0] + 0.75 * heatmap[1, 1]),
        abs=1e-6,
    )
    assert (interpolated[192:, 64] == heatmap[6, 2]).all()  # the last unit is at 192; 193 to 223 repeat it


def test_grid_of_pixels_is_unchanged():
    heatmap = np.random.default_rng(1).normal(size=(12, 20)).astype(np.float32)
    assert (interpolate(heatmap, Geometry((12, 20), 1, (12, 20), (0, 0, 20, 12), (20, 12))) == heatmap).all()


def test_grid_starts_at_its_origin():
    patches = Geometry((2, 2), 8, (16, 16), (0, 0, 16, 16), (16, 16), origin=3.5)
    interpolated = interpolate(np.float32([[0, 8], [0, 8]]), patches)
    assert interpolated[0].tolist() == pytest.approx([0, 0, 0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8, 8, 8, 8])


def test_larger_output_covers_the_same_input():
    ramp = np.float32([[0, 1, 2, 3]])
    geometry = Geometry((1, 4), 4, (16, 16), (0, 0, 16, 16), (16, 16))
    interpolated = interpolate(ramp, geometry, (32, 32))
    # output pixel x is at input pixel (x + 0.5) / 2 - 0.5
    assert interpolated[0, 9] == pytest.approx((9.5 / 2 - 0.5) / 4)
    assert interpolate(ramp, geometry, (16, 8)).shape == (16, 8)


def test_nan_does_not_spread_to_other_units():
    heatmap = np.ones((2, 2), np.float32)
    heatmap[0, 1] = np.nan
    interpolated = interpolate(heatmap, Geometry((2, 2), 4, (8, 8), (0, 0, 8, 8), (8, 8)))
    assert interpolated[0, 0] == 1
    assert interpolated[4, 4] == 1
    assert np.isnan(interpolated[0, 1:]).all()
