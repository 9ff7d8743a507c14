"""Kernels of two images, and of all blocks: by hand, on the tiny model and on the bundled ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet import images
from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.kernels.change import kernel_change, kernel_depth
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.observe import observe

KEEP = ("kernels", "gates", "biases", "bias_gates")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input(), KEEP)


@pytest.fixture(scope="module")
def other_observation(model):
    return observe(model, model_input(seed=1), KEEP)


# --- Two images -----------------------------------------------------------------------------------


def test_same_image_has_no_change(observation):
    change = kernel_change(kernels(observation, 3), kernels(observation, 3))
    assert change.distance.tolist() == [0] * 12
    assert change.gate_change.tolist() == [0] * 12
    np.testing.assert_allclose(change.similarity, 1, atol=1e-12)
    assert change.relative_change == 0


def test_change_is_symmetric(observation, other_observation):
    change, reverse = (
        kernel_change(kernels(observation, 2), kernels(other_observation, 2)),
        kernel_change(kernels(other_observation, 2), kernels(observation, 2)),
    )
    assert (change.distance > 0).all()
    assert np.array_equal(change.distance, reverse.distance)
    assert np.array_equal(change.similarity, reverse.similarity)
    assert np.array_equal(change.gate_change, reverse.gate_change)
    assert np.array_equal(change.first, reverse.second)
    assert np.array_equal(change.static_distance, reverse.static_distance[::-1])
    assert change.relative_change == pytest.approx(reverse.relative_change)


def test_distances_by_hand(observation):
    """Static 2 at one tap; the first image adds 3 there, the second 4 next to it: distance 5, relative to 2."""
    static = np.zeros((1, 7, 7), np.float32)
    static[0, 3, 3] = 2
    first, second = static.copy(), static.copy()
    first[0, 3, 3] += 3
    second[0, 3, 4] += 4
    gates = np.zeros((2, 1, 7, 7), np.float32)
    gates[0] = 1
    second_gates = gates.copy()
    second_gates[:, 0, 0, 0] = 0.25, 0.75  # one tap of 49: two gates by 0.75
    kernel_set = kernels(observation, 1)
    change = kernel_change(
        replace(kernel_set, static_kernels=static, kernels=first, gates=gates, static_distance=np.array([1.5])),
        replace(kernel_set, static_kernels=static, kernels=second, gates=second_gates, static_distance=np.array([2.0])),
    )
    assert change.distance.tolist() == [2.5]
    assert change.similarity[0] == pytest.approx(10 / (5 * np.sqrt(20)))
    assert change.gate_change[0] == pytest.approx(0.75 / 49)
    assert change.static_distance.tolist() == [[1.5], [2.0]]
    assert change.relative_change == pytest.approx(2.5 / 1.75)


def test_kernels_of_different_blocks_are_refused(observation):
    kernel_set = kernels(observation, 3, 1)
    with pytest.raises(UnknownName, match="one variant"):
        kernel_change(kernel_set, replace(kernel_set, model="transxnet_t"))
    with pytest.raises(OutOfRange, match=r"stage 3, block 1 and of stage 4, block 2 share no channels"):
        kernel_change(kernel_set, kernels(observation, 4))
    with pytest.raises(OutOfRange, match=r"stage 3, block 2 share no channels"):
        kernel_change(kernel_set, kernels(observation, 3, 2))
    with pytest.raises(UnknownName, match="other weights"):
        kernel_change(kernel_set, replace(kernel_set, static_kernels=kernel_set.static_kernels + 1))


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Two images that differ as photos do: a bright disc on a dark background, and fine stripes."""
    y, x = np.mgrid[:160, :200]
    disc = np.where((x - 120) ** 2 + (y - 70) ** 2 < 45**2, 230, 40)
    stripes = 128 + 100 * np.sin(x * 0.9 + 0.3 * y)
    tint = np.array([1.0, 0.8, 0.6])
    return [(image[..., None] * tint).astype(np.uint8) for image in (disc, stripes)]


def observe_model(name: str, rgb: np.ndarray):
    loaded = transxnet.load(name)
    image = images.SourceImage(rgb, "", original_size=(200, 160))
    model_input = images.prepare(image, image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
    return observe(loaded.model, model_input, KEEP)


def test_kernels_change_in_pico_but_not_pico_static(photos):
    pico = [observe_model("pico", rgb) for rgb in photos]
    for stage, depth in enumerate(pico[0].model.spec.depths, start=1):
        for block in range(1, depth + 1):
            assert (kernel_change(kernels(pico[0], stage, block), kernels(pico[1], stage, block)).distance > 0).all()
    static = [observe_model("pico_static", rgb) for rgb in photos]
    for stage in (1, 2, 3, 4):
        change = kernel_change(kernels(static[0], stage), kernels(static[1], stage))
        assert (change.distance == 0).all()
        assert (change.gate_change == 0).all()
        assert np.isnan(change.relative_change)  # no kernel differs from its static kernel
    assert leftover_state(pico[0].model) == leftover_state(static[0].model) == []


# --- Every block ------------------------------------------------------------------------------------


def test_depth_lists_every_block_in_order(observation, model):
    depth = kernel_depth(observation)
    assert depth.stages.tolist() == [1, 1, 2, 3, 3, 3, 4, 4]
    assert depth.blocks.tolist() == [1, 2, 1, 1, 2, 3, 1, 2]
    assert depth.groups.tolist() == [2, 2, 2, 3, 3, 3, 4, 4]
    kernel_set = kernels(observation, 3, 2)
    np.testing.assert_allclose(depth.static_distance[4], np.quantile(kernel_set.static_distance, (0.25, 0.5, 0.75)))
    assert depth.median_static_distance[4] == pytest.approx(np.median(kernel_set.static_distance))
    assert depth.gate_entropy[4] == pytest.approx(kernel_set.gate_entropy.mean())
    assert leftover_state(model) == []


def test_depth_lists_only_recorded_blocks(model):
    depth = kernel_depth(observe(model, model_input(), lambda tap: tap.kind in KEEP and tap.stage == 3))
    assert list(zip(depth.stages.tolist(), depth.blocks.tolist(), strict=True)) == [(3, 1), (3, 2), (3, 3)]


def test_uniform_gates_give_static_kernels(model):
    uniform = {"gates": lambda tap, gates: torch.full_like(gates, 1 / gates.shape[1])}
    depth = kernel_depth(observe(model, model_input(), KEEP, edits=uniform))
    np.testing.assert_allclose(depth.static_distance, 0, atol=1e-5)
    np.testing.assert_allclose(depth.gate_entropy, 1, rtol=1e-6)


def test_learned_kernels_have_zero_distance():
    static = recipe_model(replace(SPEC, idconv=False))
    depth = kernel_depth(observe(static, model_input(), KEEP))
    assert depth.groups.tolist() == [1] * 8
    assert (depth.static_distance == 0).all()
    assert (depth.gate_entropy == 0).all()


def test_unrecorded_kernels_are_refused(model):
    with pytest.raises(OutOfRange, match="kept no kernels"):
        kernel_depth(observe(model, model_input(32, 32), ("stage",)))
    with pytest.raises(OutOfRange, match="'gates'"):
        kernel_depth(observe(model, model_input(32, 32), ("kernels",)))
    assert leftover_state(model) == []
