"""Attention rollout and footprints: by hand, against explicit matrices, and conserved totals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from tests.positions import center_in_source
from transxnet.errors import OutOfRange, PartMissing, UnknownName
from transxnet.explain.ablation.edits import mute_head
from transxnet.explain.attention.rollout import (
    conv_footprint,
    downsampling_footprint,
    key_footprint,
    rollout,
)
from transxnet.explain.attribution.methods import KEEP, METHODS, AttributionTarget
from transxnet.explain.observe import observe

UNIFORM = {"attention": lambda tap, a: torch.full_like(a, 1 / a.shape[-1])}


def observe_attention(model, side: int = 96, edits=None):
    return observe(model, model_input(side, side), ("attention",), edits=edits)


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe_attention(model)


def footprint_matrix(footprint, output_grid: tuple[int, int]) -> np.ndarray:
    """The matrix, window by window: (output values, input values), rows sum to 1."""
    (rows, cols), size = footprint.grid, len(footprint.kernel)
    matrix = np.zeros((*output_grid, rows, cols))
    for i, j in np.ndindex(*output_grid):
        for u, v in np.ndindex(size, size):
            row, col = footprint.stride * i + u - footprint.padding, footprint.stride * j + v - footprint.padding
            if 0 <= row < rows and 0 <= col < cols:
                matrix[i, j, row, col] = footprint.kernel[u, v]
        matrix[i, j] /= matrix[i, j].sum()
    return matrix.reshape(output_grid[0] * output_grid[1], rows * cols)


def units_to_pixels(observation, stage: int, shares: np.ndarray, uniform: bool = False) -> np.ndarray:
    """A map on a stage's units, spread over the pixels by the footprints of the downsampling layers."""
    for lower_stage in range(stage, 0, -1):
        shares = downsampling_footprint(observation, lower_stage, uniform).spread(shares)
    return shares


def last_unit_position(observation, stage: int) -> tuple[float, float]:
    """Source-image position of a stage's last unit."""
    rows, cols = observation.units(stage).grid
    return center_in_source(observation.units(stage), rows - 1, cols - 1)


def test_rollout_of_one_stage_by_hand(model):
    """32 px: stage 1 has 8 x 8 units and one key, whose window (-5 … 5) lies on the first 6 x 6 units, 1/36 each.

    The last unit keeps 1/2, then 1/4, by the residual path; 3/4 is the key's. It sees pixels 25 … 31 each way, 1/49
    each; pixels from 29 on lie in no other unit's window that has a share, and unit 5's ends at pixel 23.
    """
    observation = observe_attention(model, 32)
    heatmap = rollout(observation, 1, last_unit_position(observation, 1), uniform_windows=True).heatmap
    np.testing.assert_allclose(heatmap[25:, 25:], 0.25 / 49, rtol=1e-6)
    assert heatmap[:24, :24].sum() == pytest.approx(0.75, rel=1e-6)
    assert heatmap[24].sum() == heatmap[:, 24].sum() == 0
    # pixel (10, 10) lies in the windows of units 2 and 3 each way (5 … 11 and 9 … 15): four of 36 units
    assert heatmap[10, 10] == pytest.approx(0.75 / 36 * 4 / 49, rel=1e-6)


@pytest.mark.parametrize("fusion", ["mean", "max"])
def test_rollout_equals_explicit_matrix_product(model, fusion):
    """64 px, stages 1 and 2, every R as a matrix."""
    observation = observe_attention(model, 64)
    explanation = rollout(observation, 2, last_unit_position(observation, 2), fusion=fusion)
    shares = np.zeros(64)
    shares[-1] = 1
    for stage, blocks in ((2, 1), (1, 2)):
        for block in range(blocks, 0, -1):
            attention = observation.trace.find_one("attention", stage, block).tensor[0].double().numpy()
            fused = getattr(attention, fusion)(axis=0)
            fused = fused / fused.sum(axis=1, keepdims=True)
            footprint = footprint_matrix(key_footprint(observation, stage, block), (2, 2))
            shares = shares @ (np.eye(len(fused)) / 2 + fused @ footprint / 2)
        shares = shares @ footprint_matrix(downsampling_footprint(observation, stage), (16 // 2 ** (stage - 1),) * 2)
    np.testing.assert_allclose(explanation.heatmap.reshape(-1), shares, rtol=1e-5, atol=1e-9)
    assert explanation.numbers["blocks"] == 3
    assert explanation.numbers["residual"] == 1 / 8


def test_attention_to_one_key_adds_its_footprint(model):
    """Stage 1, block 1: half the unit's pixels, half the key's."""

    def attend_to_key(tap, weights):
        return nn.functional.one_hot(torch.full(weights.shape[:-1], 4), weights.shape[-1]).float()

    observation = observe_attention(model, edits={"attention": attend_to_key})
    key = np.zeros((3, 3))
    key[1, 1] = 1
    start = np.zeros((24, 24))
    start[-1, -1] = 1
    unit_pixels = downsampling_footprint(observation, 1).spread(start)
    explanation = rollout(observation, 1, last_unit_position(observation, 1), block=1)
    np.testing.assert_allclose(
        explanation.heatmap,
        (unit_pixels + units_to_pixels(observation, 1, key_footprint(observation, 1, 1).spread(key))) / 2,
        atol=1e-8,
    )
    assert (explanation.numbers["x"], explanation.numbers["y"]) == (92, 92)


def test_map_is_nonnegative_and_sums_to_one(model, observation):
    for edits in (None, UNIFORM, mute_head(1)):
        observation = observe_attention(model, edits=edits)
        for stage in (1, 2, 3, 4):
            for position in (None, last_unit_position(observation, stage)):
                for fusion in ("mean", "max"):
                    heatmap = rollout(observation, stage, position, fusion=fusion).heatmap
                    assert heatmap.min() >= 0
                    assert heatmap.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert leftover_state(model) == []


def test_default_is_the_mean_over_units(observation):
    units = observation.units(4)
    maps = [rollout(observation, 4, center_in_source(units, row, col)).heatmap for row, col in np.ndindex(3, 3)]
    np.testing.assert_allclose(rollout(observation, 4).heatmap, np.mean(maps, axis=0), atol=1e-8)
    assert rollout(observation, 4).target == "mean over all units"


def test_numbers_measure_distance_and_difference_from_uniform(model, observation):
    uniform = rollout(observe_attention(model, edits=UNIFORM), 3, last_unit_position(observation, 3))
    assert uniform.numbers["from_uniform"] == pytest.approx(0, abs=1e-6)
    explanation = rollout(observation, 3, last_unit_position(observation, 3))
    assert explanation.numbers["from_uniform"] == pytest.approx(
        np.abs(explanation.heatmap - uniform.heatmap).sum() / 2, rel=1e-4
    )
    assert explanation.numbers["from_uniform"] > 0.01
    distance = sum(explanation.heatmap[y, x] * np.hypot(x - 80, y - 80) for y, x in np.ndindex(96, 96))
    assert explanation.numbers["distance"] == pytest.approx(distance, rel=1e-4)


def test_metadata(observation):
    explanation = rollout(observation, 3, (10, 20), block=2)
    assert (explanation.method, explanation.model, explanation.signed) == ("rollout", "transxnet_tiny", False)
    assert explanation.layer == "stage 3, block 2 and all before it (approximation)"
    assert explanation.target == "unit at row 0, column 0"
    assert (explanation.geometry.grid, explanation.geometry.stride) == ((96, 96), 1)
    assert explanation.numbers["blocks"] == 5


def test_registered_method_uses_the_targets_unit(model):
    observation = observe(model, model_input(), KEEP)
    explanation = METHODS["rollout"].single_pass(observation, AttributionTarget(0, stage=3, block=2, position=(10, 20)))
    assert np.array_equal(explanation.heatmap, rollout(observation, 3, (10, 20), block=2).heatmap)
    assert not METHODS["rollout"].about_class


def test_invalid_arguments_are_refused(model, observation):
    with pytest.raises(OutOfRange, match="no stage 5"):
        rollout(observation, 5)
    with pytest.raises(UnknownName, match="mean, max"):
        rollout(observation, 1, fusion="sum")
    with pytest.raises(OutOfRange, match="keep that kind"):
        rollout(observe(model, model_input(32, 32), ("stage",)), 1)
    with pytest.raises(PartMissing, match="no OSRA"):
        rollout(observe_attention(recipe_model(replace(SPEC, osra=False)), 32), 1)


def test_trained_pico_differs_from_random_weights():
    trained, random_init = (
        rollout(observe(transxnet.load(name).model, model_input(128, 128), ("attention",)), 4).numbers["from_uniform"]
        for name in ("pico", "pico@untrained")
    )
    assert trained > 100 * random_init


# --- Footprints -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "stride", "grid"), [(11, 8, (24, 24)), (7, 4, (13, 10)), (5, 2, (6, 7)), (3, 2, (5, 8)), (7, 4, (9, 33))]
)
def test_spread_equals_multiplication_by_the_matrix(kernel, stride, grid):
    conv = nn.Conv2d(4, 4, kernel, stride, kernel // 2, groups=4)
    output_grid = tuple(conv(torch.zeros(1, 4, *grid)).shape[-2:])
    footprint = conv_footprint(conv, grid)
    assert np.allclose(footprint.kernel, conv.weight.detach().abs().mean(dim=(0, 1)).numpy())
    shares = np.random.default_rng(0).random(output_grid)
    spread = footprint.spread(shares)
    np.testing.assert_allclose(
        spread.reshape(-1), shares.reshape(-1) @ footprint_matrix(footprint, output_grid), atol=1e-12
    )
    assert spread.sum() == pytest.approx(shares.sum())


def test_footprint_covers_the_convolutions_window(model, observation):
    """The inputs that a value of a convolution depends on are those with a share of it."""
    for stage in (1, 2, 3, 4):
        grid = observation.units(stage).grid
        conv = (model.patch_embed if stage == 1 else model.network[2 * stage - 3]).proj.conv
        footprint = downsampling_footprint(observation, stage)
        for unit in ((0, 0), (grid[0] - 1, 1)):
            start = np.zeros(grid)
            start[unit] = 1
            assert np.array_equal(footprint.spread(start) > 0, depends_on(conv, footprint.grid, unit))
    for stage in (1, 2, 3):
        osra = model.network[2 * stage - 2][0].token_mixer.global_unit
        start = np.zeros((3, 3))
        start[2, 1] = 1
        footprint = key_footprint(observation, stage, 1)
        assert np.array_equal(footprint.spread(start) > 0, depends_on(osra.sr[0].conv, footprint.grid, (2, 1)))


def test_footprint_weights_are_mean_absolute_kernels(model, observation):
    state = model.state_dict()
    for stage, name in ((1, "patch_embed"), (2, "network.1"), (3, "network.3"), (4, "network.5")):
        expected = state[f"{name}.proj.conv.weight"].abs().double().mean(dim=(0, 1)).numpy()
        np.testing.assert_allclose(downsampling_footprint(observation, stage).kernel, expected, rtol=1e-9)
    for block in (1, 2, 3):
        weight = state[f"network.4.{block - 1}.token_mixer.global_unit.sr.0.conv.weight"]  # (C, 1, 5, 5)
        expected = weight.abs().double().mean(dim=(0, 1)).numpy()
        np.testing.assert_allclose(key_footprint(observation, 3, block).kernel, expected, rtol=1e-9)


def depends_on(conv: nn.Conv2d, grid: tuple[int, int], unit: tuple[int, int]) -> np.ndarray:
    x = torch.zeros(1, conv.in_channels, *grid, requires_grad=True)
    (gradient,) = torch.autograd.grad(conv(x)[0, :, unit[0], unit[1]].sum(), x)
    return gradient[0].abs().sum(dim=0).numpy() > 0


def test_keys_without_reduction_are_units(observation):
    shares = np.random.default_rng(0).random((3, 3))
    assert np.array_equal(key_footprint(observation, 4, 2).spread(shares), shares)


def test_uniform_footprint_and_zero_kernel():
    conv, zero_conv = nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, 3, 2, 1)
    nn.init.zeros_(zero_conv.weight)
    for footprint in (conv_footprint(conv, (4, 4), uniform=True), conv_footprint(zero_conv, (4, 4))):
        spread = footprint.spread(np.float64([[1, 0], [0, 0]]))  # the corner's window: 2 x 2 inside
        np.testing.assert_allclose(spread[:2, :2], 0.25)
        assert spread[2:].sum() == spread[:, 2:].sum() == 0


def test_reach_of_a_unit_by_hand(observation):
    """Uniform taps: the 7x7 stem gives unit i of stage 1 the pixels 4i-3 … 4i+3, each 3x3 step of stride 2 doubles it:
    3, 7, 15, 31 pixels on each side of the center."""
    for stage, reach in ((1, 3), (2, 7), (3, 15), (4, 31)):
        grid = observation.units(stage).grid
        start = np.zeros(grid)
        start[1, 1] = 1
        rows, cols = np.nonzero(units_to_pixels(observation, stage, start, uniform=True))
        center = SPEC.strides[stage - 1]
        expected = (max(center - reach, 0), center + reach)
        assert (rows.min(), rows.max()) == (cols.min(), cols.max()) == expected


def test_footprints_keep_the_total(model, observation):
    key_map = np.random.default_rng(0).random((3, 3))
    for stage in (1, 2, 3, 4):
        footprint = key_footprint(observation, stage, SPEC.depths[stage - 1])
        pixels = units_to_pixels(observation, stage, footprint.spread(key_map))
        assert pixels.shape == (96, 96)
        assert pixels.min() >= 0
        assert pixels.sum() == pytest.approx(key_map.sum())
    assert leftover_state(model) == []
