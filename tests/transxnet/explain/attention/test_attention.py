"""Attention weights, key positions, entropy and distance against the model and values computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from tests.positions import center_in_source
from transxnet.errors import OutOfRange, PartMissing, UnknownName
from transxnet.explain.attention.attention import (
    attention_from,
    attention_table,
    attention_tables,
    key_geometry,
    position_attention,
)
from transxnet.explain.observe import observe
from transxnet.layers import OSRA
from transxnet.results.attention import fuse_heads


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input())


def observe_with(model, weights):
    """Observe with every block's attention replaced by weights(shape)."""
    return observe(model, model_input(), ("attention",), edits={"attention": lambda tap, a: weights(a.shape)})


def attend_to_key(key: int):
    return lambda shape: torch.nn.functional.one_hot(torch.full(shape[:-1], key), shape[-1]).float()


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_position_selects_the_row_of_its_unit(observation, stage):
    recorded = observation.trace.find_one("attention", stage, SPEC.depths[stage - 1]).tensor[0]
    rows, cols = observation.units(stage).grid
    unit = (rows - 1, 1)
    attention = attention_from(observation, stage, None, center_in_source(observation.units(stage), *unit))
    assert attention.query == unit
    assert (attention.stage, attention.block, attention.model) == (stage, SPEC.depths[stage - 1], "transxnet_tiny")
    expected = recorded[:, (rows - 1) * cols + 1].reshape(SPEC.heads[stage - 1], 3, 3).numpy()
    assert np.array_equal(attention.heads, expected)
    np.testing.assert_allclose(attention.heads.sum(axis=(1, 2)), 1, atol=1e-5)


def test_block_can_be_selected(observation):
    first, last = attention_table(observation, 3, 1), attention_table(observation, 3)
    assert np.array_equal(first.weights, observation.trace.find_one("attention", 3, 1).tensor[0].numpy())
    assert (first.block, last.block) == (1, 3)
    assert not np.array_equal(first.weights, last.weights)


def test_position_outside_the_input_takes_nearest_unit(observation):
    assert attention_from(observation, 2, None, (0, 0)).query == (0, 0)  # the model input starts at (10, 20)
    with pytest.raises(OutOfRange, match="outside the image"):
        attention_from(observation, 2, None, (-5, 0))


# --- One head, mean and max; forward and reverse -----------------------------------------------------


def test_mean_and_max_fuse_the_heads(observation):
    table = attention_table(observation, 3, 2)
    from_query, to_key = table.attention_from(2, 4), table.attention_to(1, 2)
    for attention in (from_query, to_key):
        heads = attention.heads
        for name in ("mean", 0):
            np.testing.assert_allclose(attention.head(name), (heads[0] + heads[1] + heads[2]) / 3, rtol=1e-6)
        assert np.array_equal(attention.head("max"), np.maximum(np.maximum(heads[0], heads[1]), heads[2]))
        assert np.array_equal(attention.head(2), heads[1])
        with pytest.raises(OutOfRange, match="no head 4"):
            attention.head(4)
        with pytest.raises(UnknownName, match="mean, max"):
            attention.head("median")
    query = 2 * table.queries.grid[1] + 4
    for fusion in ("mean", "max"):
        assert np.array_equal(fuse_heads(table.weights, fusion)[query].reshape(3, 3), from_query.head(fusion))
        assert np.array_equal(fuse_heads(table.weights, fusion)[:, 5].reshape(table.queries.grid), to_key.head(fusion))
    np.testing.assert_allclose(fuse_heads(table.weights, "mean").sum(axis=1), 1, atol=1e-5)
    assert (fuse_heads(table.weights, "max").sum(axis=1) > 1.001).any()


def test_attention_to_is_the_transpose_of_attention_from(observation):
    table = attention_table(observation, 2)
    to_keys = [[table.attention_to(row, col) for col in range(3)] for row in range(3)]
    for query in ((0, 0), (3, 7), (11, 11)):
        from_query = table.attention_from(*query).heads
        for row, col in np.ndindex(3, 3):
            assert np.array_equal(to_keys[row][col].heads[:, query[0], query[1]], from_query[:, row, col])
    totals = sum(attention.total for key_row in to_keys for attention in key_row)
    np.testing.assert_allclose(totals, 144, rtol=1e-5)  # the weights of each query sum to 1
    assert to_keys[0][0].uniform_total == 16


def test_attention_to_takes_the_nearest_key(observation):
    keys = key_geometry(observation, 3)
    x, y = center_in_source(keys, 1, 2)
    to_key = position_attention(
        observation, 3, 1, (x + 20, y - 25)
    ).attention_to  # a key's cell is 64 source pixels wide
    assert (to_key.key, to_key.stage, to_key.block, to_key.model) == ((1, 2), 3, 1, "transxnet_tiny")
    assert np.array_equal(
        to_key.heads.reshape(3, -1), observation.trace.find_one("attention", 3, 1).tensor[0, :, :, 5].numpy()
    )
    both_directions = position_attention(observation, 3, 1, (x, y))
    assert np.array_equal(both_directions.attention_to.heads, to_key.heads)
    assert np.array_equal(both_directions.attention_from.heads, attention_from(observation, 3, 1, (x, y)).heads)


def test_model_without_osra_is_refused():
    model = recipe_model(replace(SPEC, osra=False))
    observation = observe(model, model_input(32, 32))
    for explain in (attention_table, attention_from, position_attention):
        with pytest.raises(PartMissing, match="no OSRA"):
            explain(observation, 1)
    with pytest.raises(PartMissing, match="no OSRA"):
        attention_tables(observation)
    assert leftover_state(model) == []


# --- The weights are what the model used -------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("build_model", [recipe_model, lambda: transxnet.load("pico").model], ids=["tiny", "pico"])
def test_weights_recompose_osra_output_in_every_block(build_model):
    """attention @ v, v computed by the module's sr, local_conv and kv from OSRA's half of the normalized input."""
    model = build_model()
    side = model.spec.image_size
    observation = observe(model, model_input(side, side), ("attention", "osra", "block", "stage"))
    block_count = 0
    for table in attention_tables(observation):
        np.testing.assert_allclose(table.weights.sum(axis=2), 1, atol=1e-5)
        block = model.network[2 * table.stage - 2][table.block - 1]
        osra = observation.trace.find_one("osra", table.stage, table.block).tensor
        x = block_input(model, observation, table.stage, table.block)
        osra_half = block.norm1(x + block.pos_embed(x)).chunk(2, dim=1)[1]
        osra_module = block.token_mixer.global_unit
        reduced = osra_module.sr(osra_half)
        values = osra_module.kv(reduced + osra_module.local_conv(reduced)).chunk(2, dim=1)[
            1
        ]  # (1, C, key rows, key columns)
        values = values.reshape(len(table.weights), -1, table.weights.shape[2])  # (heads, d, Nk)
        expected = torch.einsum("hqk,hdk->hdq", torch.from_numpy(table.weights), values).reshape(osra.shape)
        torch.testing.assert_close(osra, expected, atol=1e-5, rtol=1e-5)
        block_count += 1
    assert block_count == sum(model.spec.depths)
    assert leftover_state(model) == []


def block_input(model, observation, stage: int, block: int) -> torch.Tensor:
    if block > 1:
        return observation.trace.find_one("block", stage, block - 1).tensor
    if stage > 1:
        return model.network[2 * stage - 3](observation.trace.find_one("stage", stage - 1).tensor)
    return model.patch_embed(observation.x)


# --- Where keys sit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(96, 96), (97, 70), (33, 130), (65, 200)])
def test_key_grid_equals_the_models_reduction(model, size):
    observation = observe(model, model_input(*size), ("attention", "stage"))
    for stage, sr in enumerate(SPEC.sr_ratios, 1):
        keys = key_geometry(observation, stage)
        reduction = model.network[2 * stage - 2][0].token_mixer.global_unit.sr
        half = observation.trace.find_one("stage", stage).tensor.chunk(2, dim=1)[1]
        assert keys.grid == reduction(half).shape[-2:]
        assert keys.grid[0] * keys.grid[1] == attention_table(observation, stage).weights.shape[-1]
        assert (keys.stride, keys.origin, sr * observation.units(stage).stride) == (32, 0, 32)


@pytest.mark.parametrize("sr", [8, 4, 2])
def test_key_window_is_centered_on_its_unit(sr):
    """A reduction with kernels of ones covers the units sr*j - sr//2 - 1 … sr*j + sr//2 + 1, so its center is sr*j."""
    conv = OSRA(channels=1, heads=1, sr_ratio=sr).sr[0].conv
    torch.nn.init.ones_(conv.weight)
    x = torch.zeros(1, 1, 4 * sr, 4 * sr, requires_grad=True)
    (gradient,) = torch.autograd.grad(conv(x)[0, 0, 2, 1], x)
    window = gradient[0, 0].nonzero().double()
    assert window.mean(dim=0).tolist() == [2 * sr, 1 * sr]
    assert len(window) == (sr + 3) ** 2


# --- Entropy and distance ---------------------------------------------------------------------------


def test_uniform_attention_has_maximal_entropy_and_uniform_distance(model):
    for table in attention_tables(observe_with(model, lambda shape: torch.full(shape, 1 / shape[-1]))):
        np.testing.assert_allclose(table.entropy, 1, rtol=1e-6)
        np.testing.assert_allclose(table.distance.mean(axis=1), table.uniform_distance, rtol=1e-6)


def test_attention_to_one_key_has_zero_entropy(model):
    observation = observe_with(model, attend_to_key(5))  # of 3 x 3 keys: row 1, column 2, at input pixel (64, 32)
    attention = attention_from(
        observation, 2, None, center_in_source(observation.units(2), 4, 5)
    )  # at input pixel (40, 32)
    assert attention.entropy.tolist() == [0, 0]
    assert attention.distance.tolist() == [24, 24]
    assert attention.mean[1, 2] == 1
    assert attention_table(observation, 2).attention_to(1, 2).heads.min() == 1


def test_attention_to_two_keys_by_hand(model):
    def two_keys(shape):
        return (attend_to_key(0)(shape) + attend_to_key(8)(shape)) / 2

    observation = observe_with(model, two_keys)  # keys on (0, 0) and (64, 64)
    attention = attention_from(observation, 4, None, center_in_source(observation.units(4), 0, 2))  # on (64, 0)
    np.testing.assert_allclose(attention.entropy, np.log(2) / np.log(9), rtol=1e-6)
    assert attention.distance.tolist() == [64] * 5


def test_single_key_has_zero_entropy(model):
    observation = observe(model, model_input(32, 32), ("attention",))
    attention = attention_from(observation, 1, None, (20, 30))
    assert attention.heads.shape == (1, 1, 1)
    assert attention.entropy.tolist() == [0]


def test_every_block_has_a_table(observation):
    tables = attention_tables(observation)
    assert [(t.stage, t.block) for t in tables] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
    assert all(0 < t.entropy.mean() < 0.999 for t in tables)


def test_unrecorded_attention_is_refused(model):
    with pytest.raises(OutOfRange, match="keep that kind"):
        attention_from(observe(model, model_input(32, 32), ("stage",)), 1)
