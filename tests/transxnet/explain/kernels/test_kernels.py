"""Generated kernels: mixing by gates, distance to the static kernel, and representatives.

Recomposed: the depthwise convolution of what IDConv was given, with the kernels reported, is what IDConv gave.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange
from transxnet.explain.kernels.kernels import kernels, representatives
from transxnet.explain.observe import observe


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input())


def idconv(model, stage: int, block: int):
    return model.network[2 * stage - 2][block - 1].token_mixer.local_unit


@pytest.mark.parametrize(("stage", "block"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_kernels_are_gated_sums_of_learned_ones(model, observation, stage, block):
    kernel_set, idconv_module = kernels(observation, stage, block), idconv(model, stage, block)
    assert (kernel_set.stage, kernel_set.block, kernel_set.model) == (stage, block, "transxnet_tiny")
    weight, bias = idconv_module.weight.detach().numpy(), idconv_module.bias.detach().numpy()
    np.testing.assert_allclose(kernel_set.kernels, (kernel_set.gates * weight).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(kernel_set.biases, (kernel_set.bias_gates * bias).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(kernel_set.static_kernels, weight.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(kernel_set.gates.sum(axis=0), 1, atol=1e-5)


def idconv_input(observation, stage: int, block: int) -> torch.Tensor:
    """Input of IDConv in this block, from the records before it: (1, C, H, W)."""
    network, block_module = observation.model.network, observation.model.network[2 * stage - 2][block - 1]
    with torch.no_grad():
        if block > 1:
            x = observation.trace.find_one("block", stage, block - 1).tensor
        elif stage > 1:
            x = network[2 * stage - 3](observation.trace.find_one("stage", stage - 1).tensor)
        else:
            x = observation.model.patch_embed(observation.x)
        x = block_module.norm1(x + block_module.pos_embed(x))
        return x[:, : block_module.token_mixer.widths[0]]


def recompose(inputs: torch.Tensor, kernel_set) -> torch.Tensor:
    """Cross-correlation of each channel with its kernel, zero-padded, plus its bias: (1, C, H, W)."""
    weight, bias = torch.from_numpy(kernel_set.kernels)[:, None], torch.from_numpy(kernel_set.biases)
    return F.conv2d(inputs, weight, bias, padding=3, groups=len(weight))


MODELS = {
    "tiny": lambda: (recipe_model(), 96),
    "tiny without OSRA": lambda: (recipe_model(replace(SPEC, osra=False)), 96),
    "tiny, static": lambda: (recipe_model(replace(SPEC, idconv=False)), 96),
    "pico": lambda: (transxnet.load("pico").model, 128),
}


@pytest.mark.parametrize("name", MODELS)
def test_kernels_recompose_idconv_output(name):
    model, side = MODELS[name]()
    keep = ("block", "stage", "idconv", "kernels", "gates", "biases", "bias_gates")
    observation = observe(model, model_input(side, side), keep)
    for stage, depth in enumerate(model.spec.depths, start=1):
        for block in range(1, depth + 1):
            kernel_set, inputs = kernels(observation, stage, block), idconv_input(observation, stage, block)
            idconv_module = idconv(model, stage, block)
            assert torch.allclose(recompose(inputs, kernel_set), idconv_module(inputs), rtol=0, atol=1e-5)
            outputs = observation.trace.find_one("idconv", stage, block).tensor
            assert torch.allclose(recompose(inputs, kernel_set), outputs, rtol=1e-5, atol=1e-5)
            mixed = (kernel_set.gates * idconv_module.weight.detach().numpy()).sum(axis=0)
            np.testing.assert_allclose(kernel_set.kernels, mixed, atol=1e-6)
    assert leftover_state(model) == []


def test_default_is_the_last_block(observation):
    assert kernels(observation, 3).block == kernels(observation, 3, 0).block == 3
    assert np.array_equal(
        kernels(observation, 3).kernels, observation.trace.find_one("kernels", 3, 3).tensor[0].numpy()
    )


def test_entropy_and_distance_by_hand(observation):
    kernel_set = kernels(observation, 3, 1)
    channel, groups = 4, SPEC.kernel_groups[2]
    nats = [-sum(g * np.log(g) for g in kernel_set.gates[:, channel, u, v]) for u in range(7) for v in range(7)]
    assert kernel_set.gate_entropy[channel] == pytest.approx(np.mean(nats) / np.log(groups), rel=1e-5)
    distance = np.sqrt(((kernel_set.kernels[channel] - kernel_set.static_kernels[channel]) ** 2).sum())
    assert kernel_set.static_distance[channel] == pytest.approx(
        distance / np.sqrt((kernel_set.static_kernels[channel] ** 2).sum()), rel=1e-5
    )
    assert kernel_set.static_distance.shape == kernel_set.gate_entropy.shape == (12,)


def test_entropy_of_one_tap_by_hand(observation):
    kernel_set = kernels(observation, 4, 1)
    gates = kernel_set.gates[:, :, 5, 2].astype(np.float64)  # (G, C)
    entropies = -(gates * np.log(gates)).sum(axis=0) / np.log(4)
    np.testing.assert_allclose(kernel_set.gate_entropies[:, 5, 2], entropies, rtol=1e-5)
    assert kernel_set.tap_entropy[5, 2] == pytest.approx(entropies.mean(), rel=1e-5)
    np.testing.assert_allclose(kernel_set.gate_entropies.mean(axis=(1, 2)), kernel_set.gate_entropy, rtol=1e-6)
    assert kernel_set.tap_entropy.mean() == pytest.approx(kernel_set.gate_entropy.mean(), rel=1e-5)


def test_uniform_gates_give_the_static_kernel(model):
    observation = observe(model, model_input(), edits={"gates": lambda tap, g: torch.full_like(g, 1 / g.shape[1])})
    kernel_set = kernels(observation, 4)
    np.testing.assert_allclose(kernel_set.kernels, kernel_set.static_kernels, atol=1e-6)
    np.testing.assert_allclose(kernel_set.gate_entropy, 1, rtol=1e-6)
    np.testing.assert_allclose(kernel_set.static_distance, 0, atol=1e-5)


def test_one_gate_open_gives_that_learned_kernel(model):
    def open_second(tap, gates):
        gates = torch.zeros_like(gates)
        gates[:, 1] = 1
        return gates

    kernel_set = kernels(observe(model, model_input(), edits={"gates": open_second}), 2)
    assert np.array_equal(kernel_set.kernels, idconv(model, 2, 1).weight[1].detach().numpy())
    assert kernel_set.gate_entropy.tolist() == [0] * 8


def test_images_have_different_kernels(model, observation):
    other_kernels = kernels(observe(model, model_input(seed=1)), 1)
    assert np.abs(other_kernels.kernels - kernels(observation, 1).kernels).max() > 1e-4
    assert np.array_equal(other_kernels.static_kernels, kernels(observation, 1).static_kernels)


def test_unrecorded_kind_is_refused(model):
    with pytest.raises(OutOfRange, match="'gates'"):
        kernels(observe(model, model_input(32, 32), ("kernels",)), 1)


# --- Representatives --------------------------------------------------------------------------------


def with_kernels(observation, kernel_array: np.ndarray):
    return replace(kernels(observation, 1), kernels=kernel_array.astype(np.float32))


def test_representatives_cover_each_family_first(observation):
    """Three families, of 5, 3 and 2 kernels that differ by size and a little noise: one of each, the largest first."""
    rng = np.random.default_rng(0)
    shapes = rng.standard_normal((3, 7, 7))
    family = np.array([0, 1, 0, 2, 0, 1, 0, 2, 1, 0])
    sizes = np.array([1, 100, 0.01, 3, 2, 0.1, 5, 40, 1, 1])
    noisy = (shapes[family] + 0.01 * rng.standard_normal((10, 7, 7))) * sizes[:, None, None]
    selected = representatives(with_kernels(observation, noisy), n=3)
    assert family[selected].tolist() == [0, 1, 2]


def test_negative_kernel_is_another_shape(observation):
    kernel = np.random.default_rng(0).standard_normal((7, 7))
    selected = representatives(with_kernels(observation, np.stack([kernel, kernel, 3 * kernel, -kernel])), n=2)
    assert selected.tolist() == [0, 3]


def test_representatives_are_distinct_and_deterministic(observation):
    kernel_set = kernels(observation, 4)
    selected = representatives(kernel_set, 12)
    assert len(set(selected.tolist())) == 12
    assert np.array_equal(selected, representatives(kernel_set, 12))
    assert sorted(representatives(kernels(observation, 1), 12)) == [0, 1, 2, 3]  # all there are
    assert len(representatives(with_kernels(observation, np.zeros((5, 7, 7))), 3)) == 3
