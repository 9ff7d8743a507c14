"""Footprints: the matrices written out, and the gradients of the convolutions they stand for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.attention.footprint import (
    footprint_of,
    key_footprint,
    keys_to_pixels,
    step_footprint,
    units_to_pixels,
)
from transxnet.explain.observe import observe


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(), ("attention",))


def written_out(footprint, behind: tuple[int, int]) -> np.ndarray:
    """The matrix, window by window: (values behind, values in front), rows sum to 1."""
    (rows, cols), k = footprint.grid, len(footprint.kernel)
    matrix = np.zeros((*behind, rows, cols))
    for i, j in np.ndindex(*behind):
        for u, v in np.ndindex(k, k):
            row, col = footprint.stride * i + u - footprint.padding, footprint.stride * j + v - footprint.padding
            if 0 <= row < rows and 0 <= col < cols:
                matrix[i, j, row, col] = footprint.kernel[u, v]
        matrix[i, j] /= matrix[i, j].sum()
    return matrix.reshape(behind[0] * behind[1], rows * cols)


@pytest.mark.parametrize(
    ("kernel", "stride", "grid"), [(11, 8, (24, 24)), (7, 4, (13, 10)), (5, 2, (6, 7)), (3, 2, (5, 8)), (7, 4, (9, 33))]
)
def test_spreading_is_multiplying_by_the_written_out_matrix(kernel, stride, grid):
    conv = nn.Conv2d(4, 4, kernel, stride, kernel // 2, groups=4)
    behind = tuple(conv(torch.zeros(1, 4, *grid)).shape[-2:])
    footprint = footprint_of(conv, grid)
    assert np.allclose(footprint.kernel, conv.weight.detach().abs().mean(dim=(0, 1)).numpy())
    shares = np.random.default_rng(0).random(behind)
    spread = footprint.spread(shares)
    np.testing.assert_allclose(spread.reshape(-1), shares.reshape(-1) @ written_out(footprint, behind), atol=1e-12)
    assert spread.sum() == pytest.approx(shares.sum())


def test_every_window_looks_where_the_convolution_looks(model, seen):
    """Of each convolution the pixels that a value depends on are those with a share of it."""
    for stage in (1, 2, 3, 4):
        grid = seen.units(stage).grid
        conv = (model.patch_embed if stage == 1 else model.network[2 * stage - 3]).proj.conv
        footprint = step_footprint(seen, stage)
        for unit in ((0, 0), (grid[0] - 1, 1)):
            start = np.zeros(grid)
            start[unit] = 1
            assert np.array_equal(footprint.spread(start) > 0, depends_on(conv, footprint.grid, unit))
    for stage in (1, 2, 3):
        part = model.network[2 * stage - 2][0].token_mixer.global_unit
        start = np.zeros((3, 3))
        start[2, 1] = 1
        footprint = key_footprint(seen, stage, 1)
        assert np.array_equal(footprint.spread(start) > 0, depends_on(part.sr[0].conv, footprint.grid, (2, 1)))


def test_weights_are_those_of_the_step_and_of_the_block(model, seen):
    state = model.state_dict()
    for stage, name in ((1, "patch_embed"), (2, "network.1"), (3, "network.3"), (4, "network.5")):
        expected = state[f"{name}.proj.conv.weight"].abs().double().mean(dim=(0, 1)).numpy()
        np.testing.assert_allclose(step_footprint(seen, stage).kernel, expected, rtol=1e-9)
    for block in (1, 2, 3):
        weight = state[f"network.4.{block - 1}.token_mixer.global_unit.sr.0.conv.weight"]  # (C, 1, 5, 5)
        expected = weight.abs().double().mean(dim=(0, 1)).numpy()
        np.testing.assert_allclose(key_footprint(seen, 3, block).kernel, expected, rtol=1e-9)


def depends_on(conv: nn.Conv2d, grid: tuple[int, int], unit: tuple[int, int]) -> np.ndarray:
    x = torch.zeros(1, conv.in_channels, *grid, requires_grad=True)
    (slope,) = torch.autograd.grad(conv(x)[0, :, unit[0], unit[1]].sum(), x)
    return slope[0].abs().sum(dim=0).numpy() > 0


def test_without_a_reduction_every_key_is_its_unit(seen):
    shares = np.random.default_rng(0).random((3, 3))
    assert np.array_equal(key_footprint(seen, 4, 2).spread(shares), shares)


def test_all_taps_alike_and_a_kernel_of_zeros():
    conv, silent = nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, 3, 2, 1)
    nn.init.zeros_(silent.weight)
    for footprint in (footprint_of(conv, (4, 4), uniform=True), footprint_of(silent, (4, 4))):
        spread = footprint.spread(np.float64([[1, 0], [0, 0]]))  # the corner's window: 2 x 2 inside
        np.testing.assert_allclose(spread[:2, :2], 0.25)
        assert spread[2:].sum() == spread[:, 2:].sum() == 0


def test_a_stage_4_unit_reaches_the_pixels_below_it(seen):
    """By paper, taps alike: 3x3 steps of 2 twice more and the 7x7 stem: unit i of stage 1 sees pixels 4i-3 … 4i+3,
    so stage 2 sees 7 more each side of 8i, and so on: 3, 7, 15, 31 pixels about the center."""
    for stage, reach in ((1, 3), (2, 7), (3, 15), (4, 31)):
        grid = seen.units(stage).grid
        start = np.zeros(grid)
        start[1, 1] = 1
        rows, cols = np.nonzero(units_to_pixels(seen, stage, start, uniform=True))
        center = SPEC.strides[stage - 1]
        expected = (max(center - reach, 0), center + reach)
        assert (rows.min(), rows.max()) == (cols.min(), cols.max()) == expected


def test_key_maps_become_pixels_with_the_same_total(model, seen):
    key_map = np.random.default_rng(0).random((3, 3))
    for stage in (1, 2, 3, 4):
        pixels = keys_to_pixels(seen, stage, None, key_map)
        assert pixels.shape == (96, 96)
        assert pixels.min() >= 0
        assert pixels.sum() == pytest.approx(key_map.sum())
    with pytest.raises(OutOfRange, match=r"\(3, 3\)"):
        keys_to_pixels(seen, 2, 1, key_map[:2])
    with pytest.raises(OutOfRange, match="no stage 5"):
        keys_to_pixels(seen, 5, 1, key_map)
    assert leftovers(model) == []


def test_without_osra_there_are_no_keys():
    seen = observe(recipe_model(replace(SPEC, osra=False)), model_input(32, 32), ())
    with pytest.raises(PartMissing, match="no OSRA"):
        keys_to_pixels(seen, 1, 1, np.ones((1, 1)))
