"""Attention: the model's own rows, on the right keys, with figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing, UnknownName
from transxnet.explain.attention.attention import (
    attention_from,
    attention_table,
    attention_tables,
    attention_to,
    key_geometry,
    position_attention,
)
from transxnet.explain.observe import observe
from transxnet.layers import OSRA


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input())


def observe_with(model, weights):
    """What one sees when every block's attention is replaced by weights(shape)."""
    return observe(model, model_input(), ("attention",), edits={"attention": lambda tap, a: weights(a.shape)})


def one_key(key: int):
    return lambda shape: torch.nn.functional.one_hot(torch.full(shape[:-1], key), shape[-1]).float()


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_a_position_gets_the_row_of_its_unit(seen, stage):
    recorded = seen.trace.one("attention", stage, SPEC.depths[stage - 1]).tensor[0]
    rows, cols = seen.units(stage).grid
    unit = (rows - 1, 1)
    maps = attention_from(seen, stage, None, seen.units(stage).center_in_upload(*unit))
    assert maps.query == unit
    assert (maps.stage, maps.block, maps.model) == (stage, SPEC.depths[stage - 1], "transxnet_tiny")
    expected = recorded[:, (rows - 1) * cols + 1].reshape(SPEC.heads[stage - 1], 3, 3).numpy()
    assert np.array_equal(maps.heads, expected)
    np.testing.assert_allclose(maps.heads.sum(axis=(1, 2)), 1, atol=1e-5)


def test_a_block_can_be_named(seen):
    first, last = attention_table(seen, 3, 1), attention_table(seen, 3)
    assert np.array_equal(first.weights, seen.trace.one("attention", 3, 1).tensor[0].numpy())
    assert (first.block, last.block) == (1, 3)
    assert not np.array_equal(first.weights, last.weights)


def test_a_position_above_left_of_the_view_takes_the_first_unit(seen):
    assert attention_from(seen, 2, None, (0, 0)).query == (0, 0)  # the view begins at (10, 20)
    with pytest.raises(OutOfRange, match="outside the image"):
        attention_from(seen, 2, None, (-5, 0))


# --- One head, mean and max; forward and reverse -----------------------------------------------------


def test_mean_and_max_are_those_of_the_heads(seen):
    table = attention_table(seen, 3, 2)
    maps, users = table.at(2, 4), table.attention_to(1, 2)
    for found in (maps, users):
        heads = found.heads
        for name in ("mean", 0):
            np.testing.assert_allclose(found.head(name), (heads[0] + heads[1] + heads[2]) / 3, rtol=1e-6)
        assert np.array_equal(found.head("max"), np.maximum(np.maximum(heads[0], heads[1]), heads[2]))
        assert np.array_equal(found.head(2), heads[1])
        with pytest.raises(OutOfRange, match="no head 4"):
            found.head(4)
        with pytest.raises(UnknownName, match="mean, max"):
            found.head("median")
    query = 2 * table.queries.grid[1] + 4
    for how in ("mean", "max"):
        assert np.array_equal(table.fused(how)[query].reshape(3, 3), maps.head(how))
        assert np.array_equal(table.fused(how)[:, 5].reshape(table.queries.grid), users.head(how))
    np.testing.assert_allclose(table.fused("mean").sum(axis=1), 1, atol=1e-5)
    assert (table.fused("max").sum(axis=1) > 1.001).any()


def test_the_reverse_view_is_the_forward_view_read_the_other_way(seen):
    table = attention_table(seen, 2)
    users = [[table.attention_to(row, col) for col in range(3)] for row in range(3)]
    for query in ((0, 0), (3, 7), (11, 11)):
        forward = table.at(*query).heads
        for row, col in np.ndindex(3, 3):
            assert np.array_equal(users[row][col].heads[:, query[0], query[1]], forward[:, row, col])
    total = sum(u.total for line in users for u in line)
    np.testing.assert_allclose(total, 144, rtol=1e-5)  # every query hands out 1
    assert users[0][0].uniform_total == 16


def test_the_reverse_view_takes_the_nearest_key(seen):
    keys = key_geometry(seen, 3)
    x, y = keys.center_in_upload(1, 2)
    users = attention_to(seen, 3, 1, (x + 20, y - 25))  # a key's cell is 64 upload pixels wide
    assert (users.key, users.stage, users.block, users.model) == ((1, 2), 3, 1, "transxnet_tiny")
    assert np.array_equal(users.heads.reshape(3, -1), seen.trace.one("attention", 3, 1).tensor[0, :, :, 5].numpy())
    both = position_attention(seen, 3, 1, (x, y))
    assert np.array_equal(both.attention_to.heads, users.heads)
    assert np.array_equal(both.attention_from.heads, attention_from(seen, 3, 1, (x, y)).heads)


def test_without_osra_there_is_no_attention():
    model = recipe_model(replace(SPEC, osra=False))
    seen = observe(model, model_input(32, 32))
    for explain in (attention_table, attention_from, attention_to, position_attention):
        with pytest.raises(PartMissing, match="no OSRA"):
            explain(seen, 1)
    with pytest.raises(PartMissing, match="no OSRA"):
        attention_tables(seen)
    assert leftovers(model) == []


# --- The weights are what the model used -------------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("make", [recipe_model, lambda: transxnet.load("pico").model], ids=["tiny", "pico"])
def test_rows_sum_to_one_and_recompose_osras_output_in_every_block(make):
    """attention @ v, v from the module's own sr, local_conv and kv over the half of the block's normalized input."""
    model = make()
    side = model.spec.image_size
    seen = observe(model, model_input(side, side), ("attention", "osra", "block", "stage"))
    checked = 0
    for table in attention_tables(seen):
        np.testing.assert_allclose(table.weights.sum(axis=2), 1, atol=1e-5)
        block = model.network[2 * table.stage - 2][table.block - 1]
        osra = seen.trace.one("osra", table.stage, table.block).tensor
        x = block_input(model, seen, table.stage, table.block)
        wide = block.norm1(x + block.pos_embed(x)).chunk(2, dim=1)[1]
        part = block.token_mixer.global_unit
        reduced = part.sr(wide)
        v = part.kv(reduced + part.local_conv(reduced)).chunk(2, dim=1)[1]  # (1, C, key rows, key columns)
        v = v.reshape(len(table.weights), -1, table.weights.shape[2])  # (heads, d, Nk)
        expected = torch.einsum("hqk,hdk->hdq", torch.from_numpy(table.weights), v).reshape(osra.shape)
        torch.testing.assert_close(osra, expected, atol=1e-5, rtol=1e-5)
        checked += 1
    assert checked == sum(model.spec.depths)
    assert leftovers(model) == []


def block_input(model, seen, stage: int, block: int) -> torch.Tensor:
    if block > 1:
        return seen.trace.one("block", stage, block - 1).tensor
    if stage > 1:
        return model.network[2 * stage - 3](seen.trace.one("stage", stage - 1).tensor)
    return model.patch_embed(seen.x)


# --- Where keys sit ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(96, 96), (97, 70), (33, 130), (65, 200)])
def test_the_key_grid_is_the_one_the_model_made(model, size):
    seen = observe(model, model_input(*size), ("attention", "stage"))
    for stage, sr in enumerate(SPEC.sr_ratios, 1):
        keys = key_geometry(seen, stage)
        reduction = model.network[2 * stage - 2][0].token_mixer.global_unit.sr
        half = seen.trace.one("stage", stage).tensor.chunk(2, dim=1)[1]
        assert keys.grid == reduction(half).shape[-2:]
        assert keys.grid[0] * keys.grid[1] == attention_table(seen, stage).weights.shape[-1]
        assert (keys.stride, keys.origin, sr * seen.units(stage).stride) == (32, 0, 32)


@pytest.mark.parametrize("sr", [8, 4, 2])
def test_a_keys_window_is_centerd_on_its_unit(sr):
    """A reduction with kernels of ones sees the units sr*j - sr//2 - 1 … sr*j + sr//2 + 1, so its center is sr*j."""
    conv = OSRA(channels=1, heads=1, sr_ratio=sr).sr[0].conv
    torch.nn.init.ones_(conv.weight)
    x = torch.zeros(1, 1, 4 * sr, 4 * sr, requires_grad=True)
    (slope,) = torch.autograd.grad(conv(x)[0, 0, 2, 1], x)
    seen = slope[0, 0].nonzero().double()
    assert seen.mean(dim=0).tolist() == [2 * sr, 1 * sr]
    assert len(seen) == (sr + 3) ** 2


# --- Entropy and distance ---------------------------------------------------------------------------


def test_uniform_attention_has_entropy_one_and_the_uniform_distance(model):
    for table in attention_tables(observe_with(model, lambda shape: torch.full(shape, 1 / shape[-1]))):
        np.testing.assert_allclose(table.entropy, 1, rtol=1e-6)
        np.testing.assert_allclose(table.distance.mean(axis=1), table.uniform_distance, rtol=1e-6)


def test_attention_to_one_key_has_entropy_zero_and_that_keys_distance(model):
    seen = observe_with(model, one_key(5))  # of 3 x 3 keys: row 1, column 2, on view pixel (64, 32)
    maps = attention_from(seen, 2, None, seen.units(2).center_in_upload(4, 5))  # on view pixel (40, 32)
    assert maps.entropy.tolist() == [0, 0]
    assert maps.distance.tolist() == [24, 24]
    assert maps.mean[1, 2] == 1
    assert attention_table(seen, 2).users(1, 2).min() == 1


def test_half_and_half(model):
    def two_keys(shape):
        return (one_key(0)(shape) + one_key(8)(shape)) / 2

    seen = observe_with(model, two_keys)  # keys on (0, 0) and (64, 64)
    maps = attention_from(seen, 4, None, seen.units(4).center_in_upload(0, 2))  # on (64, 0)
    np.testing.assert_allclose(maps.entropy, np.log(2) / np.log(9), rtol=1e-6)
    assert maps.distance.tolist() == [64] * 5


def test_one_key_only_means_entropy_zero(model):
    seen = observe(model, model_input(32, 32), ("attention",))
    maps = attention_from(seen, 1, None, (20, 30))
    assert maps.heads.shape == (1, 1, 1)
    assert maps.entropy.tolist() == [0]


def test_every_block_has_its_table(seen):
    tables = attention_tables(seen)
    assert [(t.stage, t.block) for t in tables] == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2)]
    assert all(0 < t.entropy.mean() < 0.999 for t in tables)


def test_attention_must_have_been_kept(model):
    with pytest.raises(OutOfRange, match="keep that kind"):
        attention_from(observe(model, model_input(32, 32), ("stage",)), 1)
