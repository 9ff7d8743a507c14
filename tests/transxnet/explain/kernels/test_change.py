"""Kernels of two images compared, and of all blocks: by hand, on the tiny model and on the bundled ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet import images
from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.kernels.change import change, kernel_depth
from transxnet.explain.kernels.kernels import kernels
from transxnet.explain.observe import observe

KEEP = ("kernels", "gates", "biases", "bias_gates")


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(), KEEP)


@pytest.fixture(scope="module")
def other(model):
    return observe(model, model_input(seed=1), KEEP)


# --- Two images -----------------------------------------------------------------------------------


def test_a_image_with_itself_changes_nothing(seen):
    found = change(kernels(seen, 3), kernels(seen, 3))
    assert found.distance.tolist() == [0] * 12
    assert found.gates.tolist() == [0] * 12
    np.testing.assert_allclose(found.similarity, 1, atol=1e-12)
    assert found.against_static == 0


def test_the_change_is_symmetric(seen, other):
    there, back = change(kernels(seen, 2), kernels(other, 2)), change(kernels(other, 2), kernels(seen, 2))
    assert (there.distance > 0).all()
    assert np.array_equal(there.distance, back.distance)
    assert np.array_equal(there.similarity, back.similarity)
    assert np.array_equal(there.gates, back.gates)
    assert np.array_equal(there.first, back.second)
    assert np.array_equal(there.from_static, back.from_static[::-1])
    assert there.against_static == pytest.approx(back.against_static)


def test_distances_by_hand(seen):
    """Static 2 at one tap; the first image adds 3 there, the second 4 beside it: 5 apart, in units of 2."""
    static = np.zeros((1, 7, 7), np.float32)
    static[0, 3, 3] = 2
    first, second = static.copy(), static.copy()
    first[0, 3, 3] += 3
    second[0, 3, 4] += 4
    gates = np.zeros((2, 1, 7, 7), np.float32)
    gates[0] = 1
    moved = gates.copy()
    moved[:, 0, 0, 0] = 0.25, 0.75  # one tap of 49: two gates by 0.75
    made = kernels(seen, 1)
    found = change(
        replace(made, static=static, kernels=first, gates=gates, distance=np.array([1.5])),
        replace(made, static=static, kernels=second, gates=moved, distance=np.array([2.0])),
    )
    assert found.distance.tolist() == [2.5]
    assert found.similarity[0] == pytest.approx(10 / (5 * np.sqrt(20)))
    assert found.gates[0] == pytest.approx(0.75 / 49)
    assert found.from_static.tolist() == [[1.5], [2.0]]
    assert found.against_static == pytest.approx(2.5 / 1.75)


def test_kernels_that_share_no_channels_are_refused(seen):
    found = kernels(seen, 3, 1)
    with pytest.raises(UnknownName, match="one variant"):
        change(found, replace(found, model="transxnet_t"))
    with pytest.raises(OutOfRange, match=r"Stage 3, block 1 and stage 4, block 2 share no channels"):
        change(found, kernels(seen, 4))
    with pytest.raises(OutOfRange, match=r"stage 3, block 2 share no channels"):
        change(found, kernels(seen, 3, 2))
    with pytest.raises(UnknownName, match="other weights"):
        change(found, replace(found, static=found.static + 1))


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Two images that differ as photos do: a bright disc on a dark ground, and fine stripes."""
    y, x = np.mgrid[:160, :200]
    disc = np.where((x - 120) ** 2 + (y - 70) ** 2 < 45**2, 230, 40)
    stripes = 128 + 100 * np.sin(x * 0.9 + 0.3 * y)
    tint = np.array([1.0, 0.8, 0.6])
    return [(image[..., None] * tint).astype(np.uint8) for image in (disc, stripes)]


def looked_at(name: str, rgb: np.ndarray):
    loaded = transxnet.load(name)
    image = images.SourceImage(rgb, "", original_size=(200, 160))
    seen = images.prepare(image, image_size=loaded.spec.image_size, crop_pct=loaded.spec.crop_pct)
    return observe(loaded.model, seen, KEEP)


def test_two_images_move_pico_and_leave_pico_static_alone(photos):
    pico = [looked_at("pico", rgb) for rgb in photos]
    for stage, depth in enumerate(pico[0].model.spec.depths, start=1):
        for block in range(1, depth + 1):
            assert (change(kernels(pico[0], stage, block), kernels(pico[1], stage, block)).distance > 0).all()
    static = [looked_at("pico_static", rgb) for rgb in photos]
    for stage in (1, 2, 3, 4):
        found = change(kernels(static[0], stage), kernels(static[1], stage))
        assert (found.distance == 0).all()
        assert (found.gates == 0).all()
        assert np.isnan(found.against_static)  # nothing moves: nothing to compare
    assert leftovers(pico[0].model) == leftovers(static[0].model) == []


# --- Every block ------------------------------------------------------------------------------------


def test_depth_is_every_block_in_order(seen, model):
    found = kernel_depth(seen)
    assert found.stages.tolist() == [1, 1, 2, 3, 3, 3, 4, 4]
    assert found.blocks.tolist() == [1, 2, 1, 1, 2, 3, 1, 2]
    assert found.groups.tolist() == [2, 2, 2, 3, 3, 3, 4, 4]
    one = kernels(seen, 3, 2)
    np.testing.assert_allclose(found.distance[4], np.quantile(one.distance, (0.25, 0.5, 0.75)))
    assert found.median[4] == pytest.approx(np.median(one.distance))
    assert found.entropy[4] == pytest.approx(one.gate_entropy.mean())
    assert leftovers(model) == []


def test_depth_takes_only_the_blocks_whose_kernels_were_kept(model):
    found = kernel_depth(observe(model, model_input(), lambda tap: tap.kind in KEEP and tap.stage == 3))
    assert list(zip(found.stages.tolist(), found.blocks.tolist(), strict=True)) == [(3, 1), (3, 2), (3, 3)]


def test_uniform_gates_are_static_at_every_depth(model):
    uniform = {"gates": lambda tap, gates: torch.full_like(gates, 1 / gates.shape[1])}
    found = kernel_depth(observe(model, model_input(), KEEP, edits=uniform))
    np.testing.assert_allclose(found.distance, 0, atol=1e-5)
    np.testing.assert_allclose(found.entropy, 1, rtol=1e-6)


def test_learned_kernels_have_one_group_and_no_distance():
    static = recipe_model(replace(SPEC, idconv=False))
    found = kernel_depth(observe(static, model_input(), KEEP))
    assert found.groups.tolist() == [1] * 8
    assert (found.distance == 0).all()
    assert (found.entropy == 0).all()


def test_without_kernels_there_is_no_depth(model):
    with pytest.raises(OutOfRange, match="kept no kernels"):
        kernel_depth(observe(model, model_input(32, 32), ("stage",)))
    with pytest.raises(OutOfRange, match="'gates'"):
        kernel_depth(observe(model, model_input(32, 32), ("kernels",)))
    assert leftovers(model) == []
