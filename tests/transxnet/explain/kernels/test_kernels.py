"""Generated kernels: composed from their gates, compared with the static kernel, and a dozen that show them all.

Recomposed: the depthwise convolution of what IDConv was given, with the kernels reported, is what IDConv gave.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange
from transxnet.explain.kernels.kernels import kernels, representatives
from transxnet.explain.observe import observe


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input())


def idconv(model, stage: int, block: int):
    return model.network[2 * stage - 2][block - 1].token_mixer.local_unit


@pytest.mark.parametrize(("stage", "block"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_kernels_are_the_gated_sum_of_the_learned_ones(model, seen, stage, block):
    found, unit = kernels(seen, stage, block), idconv(model, stage, block)
    assert (found.stage, found.block, found.model) == (stage, block, "transxnet_tiny")
    weight, bias = unit.weight.detach().numpy(), unit.bias.detach().numpy()
    np.testing.assert_allclose(found.kernels, (found.gates * weight).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.biases, (found.bias_gates * bias).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.static, weight.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found.gates.sum(axis=0), 1, atol=1e-5)


def half_given(seen, stage: int, block: int) -> torch.Tensor:
    """What IDConv of this block was given, from the records before it: (1, C, H, W)."""
    network, unit = seen.model.network, seen.model.network[2 * stage - 2][block - 1]
    with torch.no_grad():
        if block > 1:
            x = seen.trace.one("block", stage, block - 1).tensor
        elif stage > 1:
            x = network[2 * stage - 3](seen.trace.one("stage", stage - 1).tensor)
        else:
            x = seen.model.patch_embed(seen.x)
        x = unit.norm1(x + unit.pos_embed(x))
        return x[:, : unit.token_mixer.widths[0]]


def recomposed(given: torch.Tensor, found) -> torch.Tensor:
    """Cross-correlation of each channel with its kernel, zeros beyond the border, plus its bias: (1, C, H, W)."""
    weight, bias = torch.from_numpy(found.kernels)[:, None], torch.from_numpy(found.biases)
    return F.conv2d(given, weight, bias, padding=3, groups=len(weight))


MODELS = {
    "tiny": lambda: (recipe_model(), 96),
    "tiny without OSRA": lambda: (recipe_model(replace(SPEC, osra=False)), 96),
    "tiny, static": lambda: (recipe_model(replace(SPEC, idconv=False)), 96),
    "pico": lambda: (transxnet.load("pico").model, 128),
}


@pytest.mark.parametrize("name", MODELS)
def test_kernels_recompose_what_idconv_gave(name):
    model, side = MODELS[name]()
    keep = ("block", "stage", "idconv", "kernels", "gates", "biases", "bias_gates")
    seen = observe(model, model_input(side, side), keep)
    for stage, depth in enumerate(model.spec.depths, start=1):
        for block in range(1, depth + 1):
            found, given = kernels(seen, stage, block), half_given(seen, stage, block)
            unit = idconv(model, stage, block)
            assert torch.allclose(recomposed(given, found), unit(given), rtol=0, atol=1e-5)
            gave = seen.trace.one("idconv", stage, block).tensor
            assert torch.allclose(recomposed(given, found), gave, rtol=1e-5, atol=1e-5)
            summed = (found.gates * unit.weight.detach().numpy()).sum(axis=0)
            np.testing.assert_allclose(found.kernels, summed, atol=1e-6)
    assert leftovers(model) == []


def test_the_last_block_is_the_default(seen):
    assert kernels(seen, 3).block == kernels(seen, 3, 0).block == 3
    assert np.array_equal(kernels(seen, 3).kernels, seen.trace.one("kernels", 3, 3).tensor[0].numpy())


def test_entropy_and_distance_by_hand(seen):
    found = kernels(seen, 3, 1)
    channel, groups = 4, SPEC.kernel_groups[2]
    nats = [-sum(g * np.log(g) for g in found.gates[:, channel, u, v]) for u in range(7) for v in range(7)]
    assert found.gate_entropy[channel] == pytest.approx(np.mean(nats) / np.log(groups), rel=1e-5)
    away = np.sqrt(((found.kernels[channel] - found.static[channel]) ** 2).sum())
    assert found.distance[channel] == pytest.approx(away / np.sqrt((found.static[channel] ** 2).sum()), rel=1e-5)
    assert found.distance.shape == found.gate_entropy.shape == (12,)


def test_entropy_of_one_tap_by_hand(seen):
    found = kernels(seen, 4, 1)
    gates = found.gates[:, :, 5, 2].astype(np.float64)  # (G, C)
    each = -(gates * np.log(gates)).sum(axis=0) / np.log(4)
    np.testing.assert_allclose(found.entropies[:, 5, 2], each, rtol=1e-5)
    assert found.tap_entropy[5, 2] == pytest.approx(each.mean(), rel=1e-5)
    np.testing.assert_allclose(found.entropies.mean(axis=(1, 2)), found.gate_entropy, rtol=1e-6)
    assert found.tap_entropy.mean() == pytest.approx(found.gate_entropy.mean(), rel=1e-5)


def test_uniform_gates_give_the_static_kernel(model):
    seen = observe(model, model_input(), edits={"gates": lambda tap, g: torch.full_like(g, 1 / g.shape[1])})
    found = kernels(seen, 4)
    np.testing.assert_allclose(found.kernels, found.static, atol=1e-6)
    np.testing.assert_allclose(found.gate_entropy, 1, rtol=1e-6)
    np.testing.assert_allclose(found.distance, 0, atol=1e-5)


def test_one_gate_open_gives_that_learned_kernel(model):
    def open_second(tap, gates):
        gates = torch.zeros_like(gates)
        gates[:, 1] = 1
        return gates

    found = kernels(observe(model, model_input(), edits={"gates": open_second}), 2)
    assert np.array_equal(found.kernels, idconv(model, 2, 1).weight[1].detach().numpy())
    assert found.gate_entropy.tolist() == [0] * 8


def test_two_images_have_two_sets_of_kernels(model, seen):
    other = kernels(observe(model, model_input(seed=1)), 1)
    assert np.abs(other.kernels - kernels(seen, 1).kernels).max() > 1e-4
    assert np.array_equal(other.static, kernels(seen, 1).static)


def test_what_was_not_kept_is_refused(model):
    with pytest.raises(OutOfRange, match="'gates'"):
        kernels(observe(model, model_input(32, 32), ("kernels",)), 1)


# --- Representatives --------------------------------------------------------------------------------


def with_kernels(seen, found: np.ndarray):
    return replace(kernels(seen, 1), kernels=found.astype(np.float32))


def test_representatives_take_one_of_each_family_before_a_second(seen):
    """Three families, of 5, 3 and 2 kernels that differ by size and a little noise: one of each, the largest first."""
    rng = np.random.default_rng(0)
    shapes = rng.standard_normal((3, 7, 7))
    family = np.array([0, 1, 0, 2, 0, 1, 0, 2, 1, 0])
    sizes = np.array([1, 100, 0.01, 3, 2, 0.1, 5, 40, 1, 1])
    noisy = (shapes[family] + 0.01 * rng.standard_normal((10, 7, 7))) * sizes[:, None, None]
    chosen = representatives(with_kernels(seen, noisy), n=3)
    assert family[chosen].tolist() == [0, 1, 2]


def test_a_kernel_and_its_negative_are_different(seen):
    kernel = np.random.default_rng(0).standard_normal((7, 7))
    chosen = representatives(with_kernels(seen, np.stack([kernel, kernel, 3 * kernel, -kernel])), n=2)
    assert chosen.tolist() == [0, 3]


def test_representatives_are_distinct_channels_and_always_the_same(seen):
    found = kernels(seen, 4)
    chosen = representatives(found, 12)
    assert len(set(chosen.tolist())) == 12
    assert np.array_equal(chosen, representatives(found, 12))
    assert sorted(representatives(kernels(seen, 1), 12)) == [0, 1, 2, 3]  # all there are
    assert len(representatives(with_kernels(seen, np.zeros((5, 7, 7))), 3)) == 3
