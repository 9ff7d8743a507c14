from __future__ import annotations

import cv2
import matplotlib
import numpy as np
import pytest

from transxnet.draw.colormaps import COLORMAPS, DIVERGING, SEQUENTIAL, lut
from transxnet.errors import UnknownName


def test_tables_hold_the_colors_of_matplotlib():
    table = lut("magma")
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert table[0].tolist() == [0, 0, 4]
    assert table[255].tolist() == [252, 253, 191]
    table, expected = lut("viridis") / 255, np.array(matplotlib.colormaps["viridis"].colors)
    assert np.abs(table - expected).max() <= 1 / 255


@pytest.mark.parametrize("name", [row.name for row in COLORMAPS.values() if row.kind == DIVERGING])
def test_diverging_maps_go_from_blue_to_red(name):
    low, middle, high = lut(name)[0].astype(int), lut(name)[128].astype(int), lut(name)[255].astype(int)
    assert low[2] > low[0] + 50
    assert high[0] > high[2] + 50
    assert np.ptp(middle) <= 4
    assert middle.min() >= 215


@pytest.mark.parametrize("name", [row.name for row in COLORMAPS.values() if row.kind == SEQUENTIAL])
def test_sequential_maps_increase_evenly_in_lightness(name):
    lightness = cv2.cvtColor(lut(name)[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0, :, 0]  # L*, 0 to 100
    assert (np.diff(lightness[::8]) > 0.5).all()
    ramp = np.linspace(lightness[0], lightness[-1], 256)
    assert np.abs(lightness - ramp).max() < 6


def test_tables_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        lut("magma")[0] = 0


def test_unknown_names_list_the_known_ones():
    with pytest.raises(UnknownName, match=r"'jet'.*magma, inferno, viridis, cividis, gray, RdBu_r, coolwarm"):
        lut("jet")
