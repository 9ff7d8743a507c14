from __future__ import annotations

import numpy as np
import pytest

from transxnet.draw.colormaps import lut
from transxnet.draw.kernels import kernel_grid, kernel_tiles
from transxnet.draw.scale import NORMALIZED, Tone
from transxnet.errors import OutOfRange
from transxnet.results import KernelSet

RED, BLUE, WHITE = lut("RdBu_r")[255].tolist(), lut("RdBu_r")[0].tolist(), [255, 255, 255]


def kernel_set() -> KernelSet:
    """Three channels; channel c is c at its first tap and -2 at its last; the static kernels are 1 everywhere."""
    kernels = np.zeros((3, 7, 7), np.float32)
    kernels[:, 0, 0], kernels[:, 6, 6] = (0, 1, 2), -2
    gates, ones = np.full((2, 3, 7, 7), 0.5, np.float32), np.ones(3, np.float32)
    return KernelSet("transxnet_pico", 3, 4, kernels, np.ones_like(kernels), gates, ones, gates[..., 0, 0], ones, ones)


def test_taps_have_their_colors_and_gaps_are_white():
    image = kernel_grid(kernel_set(), [2, 1, 0], (-2, 2), columns=2, tap=3, gap=4)
    assert image.shape == (2 * 21 + 4, 2 * 21 + 4, 3)
    assert image[0, 0].tolist() == RED  # channel 2 holds 2
    assert (image[:3, :3] == image[0, 0]).all()  # a tap is 3 pixels wide
    assert image[20, 20].tolist() == BLUE  # -2
    assert image[0, 25].tolist() == lut("RdBu_r")[round(255 * 0.75)].tolist()  # channel 1 holds 1 of -2 to 2
    assert (image[:, 21:25] == 255).all()
    assert (image[21:25] == 255).all()
    assert (image[25:, 25:] == 255).all()  # three kernels leave the fourth place empty


def test_default_range_is_symmetric_about_zero():
    image = kernel_grid(kernel_set(), [1], tap=1)
    assert image[6, 6].tolist() == BLUE  # -2 is the largest in size
    assert image[0, 0].tolist() == lut("RdBu_r")[191].tolist()  # 1 of 2


def test_difference_is_generated_minus_static():
    image = kernel_grid(kernel_set(), [2], (-3, 3), part="difference", tap=1)
    assert image[6, 6].tolist() == BLUE  # -2 - 1
    assert image[0, 0].tolist() == lut("RdBu_r")[170].tolist()  # 2 - 1 of 3
    assert (kernel_grid(kernel_set(), [0], (-1, 1), part="static", tap=1) == RED).all()


def test_gates_can_be_drawn_with_a_sequential_map():
    image = kernel_tiles(kernel_set().gates[0], (0, 1), "viridis", signed=False, columns=3, tap=1, gap=0)
    assert image.shape == (7, 21, 3)
    assert (image == lut("viridis")[128]).all()


def test_unknown_channels_are_refused():
    with pytest.raises(OutOfRange, match=r"Stage 3, block 4 has no IDConv channel 3\. Choose 0 to 2\."):
        kernel_grid(kernel_set(), [3])


def test_normalized_kernels_have_ranges_of_their_own():
    kernels = np.zeros((2, 1, 2), np.float32)
    kernels[:, 0, 0], kernels[:, 0, 1] = (1, 10), (-0.5, -5)
    tiles = kernel_tiles(kernels, (-10, 10), columns=2, tap=1, gap=1, tone=Tone(mode=NORMALIZED))
    assert tiles[0, :2].tolist() == tiles[0, 3:].tolist() == [RED, lut("RdBu_r")[64].tolist()]
    assert kernel_tiles(kernels, (-10, 10), columns=2, tap=1, gap=1)[0, :2].tolist() != tiles[0, :2].tolist()
