"""One output number of IDConv taken apart: its 49 products and its bias add up to what the model computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import transxnet
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.kernels.arithmetic import kernel_arithmetic
from transxnet.explain.kernels.kernels import kernels, representatives
from transxnet.explain.observe import observe
from transxnet.images import decode, prepare_for
from transxnet.study import DEFAULT, DRAWN, StudyOptions, study

KINDS = ("idconv_input", "idconv", "kernels", "gates", "biases", "bias_gates")
MODELS = {
    "tiny": (recipe_model, 96, (1, 2, 3, 4)),
    "tiny without OSRA": (lambda: recipe_model(replace(SPEC, osra=False)), 96, (2,)),
    "tiny, static": (lambda: recipe_model(replace(SPEC, idconv=False)), 96, (3,)),
    "pico": (lambda: transxnet.load("pico").model, 128, (1, 2, 3, 4)),
    "T, untrained": (lambda: transxnet.load("t@untrained").model, 224, (2,)),
}


def recomputed(found) -> np.ndarray:
    """The output of every unit by its definition, in float64: (n, H, W)."""
    height, width = found.units.grid
    k = found.kernels.shape[-1]
    padded = np.pad(found.inputs.astype(np.float64), ((0, 0), (k // 2, k // 2), (k // 2, k // 2)))
    total = np.zeros(found.inputs.shape) + found.biases[:, None, None]
    for u in range(k):
        for v in range(k):
            total += found.kernels[:, u, v, None, None] * padded[:, u : u + height, v : v + width]
    return total


@pytest.mark.parametrize("name", MODELS)
def test_products_and_bias_add_up_to_what_the_model_computed_at_every_unit(name):
    make, side, stages = MODELS[name]
    model = make()
    seen = observe(model, model_input(side, side), KINDS)
    for stage in stages:
        for block in range(1, model.spec.depths[stage - 1] + 1):
            found = kernel_arithmetic(seen, stage, block, representatives(kernels(seen, stage, block)))
            assert found.outputs.std() > 1e-3
            np.testing.assert_allclose(recomputed(found), found.outputs, rtol=1e-5, atol=1e-5)
    assert leftovers(model) == []


def test_gates_mix_the_learned_kernels_and_uniform_ones_would_give_the_static(seen):
    for stage, groups in enumerate(SPEC.kernel_groups, start=1):
        found = kernel_arithmetic(seen, stage, None, (2, 0))
        assert found.gates.shape == found.learned.shape == (2, groups, 7, 7)
        np.testing.assert_allclose(found.gates.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose((found.gates * found.learned).sum(axis=1), found.kernels, atol=1e-6)
        np.testing.assert_allclose(found.learned.mean(axis=1), found.static, atol=1e-6)
        np.testing.assert_allclose((found.bias_gates * found.bias_learned).sum(axis=1), found.biases, atol=1e-6)
        whole = kernels(seen, stage)
        assert found.block == whole.block
        assert np.array_equal(found.kernels, whole.kernels[[2, 0]])
        assert np.array_equal(found.static, whole.static[[2, 0]])


def test_one_unit_inside_and_one_in_a_corner(seen):
    found = kernel_arithmetic(seen, 2, 1, (5, 1))
    inside = found.inputs[1, 4:11, 2:9]
    assert np.array_equal(found.patch(1, 7, 5), inside)
    assert found.output(1, 7, 5) == pytest.approx((inside * found.kernels[1]).sum() + found.biases[1], rel=1e-5)
    corner = found.patch(0, 0, 11)
    assert not corner[:3].any()
    assert not corner[:, 4:].any()
    assert np.array_equal(corner[3:, :4], found.inputs[0, :4, 8:])
    for row, col in ((0, 0), (0, 11), (11, 11), (7, 5)):
        assert found.output(0, row, col) == pytest.approx(found.outputs[0, row, col], rel=1e-5, abs=1e-6)


def test_of_a_model_without_idconv_the_learned_kernel_is_all_there_is():
    seen = observe(recipe_model(replace(SPEC, idconv=False)), model_input(), KINDS)
    found = kernel_arithmetic(seen, 3, 2, (4,))
    assert (found.gates == 1).all()
    assert (found.bias_gates == 1).all()
    for same in (found.static, found.learned[:, 0]):
        assert np.array_equal(found.kernels, same)


def test_units_sit_where_the_stages_own_do(seen):
    found = kernel_arithmetic(seen, 3, None, (0,))
    assert found.units == seen.units(3)
    assert found.inputs.shape[1:] == found.units.grid == (6, 6)


def test_what_does_not_exist_or_was_not_kept_is_refused(seen):
    with pytest.raises(OutOfRange, match="no channel 12"):
        kernel_arithmetic(seen, 3, 1, (0, 12))
    with pytest.raises(OutOfRange, match="no channel -1"):
        kernel_arithmetic(seen, 3, 1, (-1,))
    with pytest.raises(OutOfRange, match="no stage 5"):
        kernel_arithmetic(seen, 5, 1, (0,))
    with pytest.raises(OutOfRange, match="'idconv_input'"):
        kernel_arithmetic(observe(seen.model, model_input(32, 32)), 1, 1, (0,))


def test_a_backbone_has_no_idconv():
    backbone = transxnet.load("timm:resnet18@untrained")
    image = decode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(PartMissing, match="generates no kernels"):
        kernel_arithmetic(observe(backbone.model, prepare_for(image, backbone.spec), ()), 3, None, (0,))


def test_a_study_takes_the_channels_that_the_page_shows():
    image = decode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    seen = study(transxnet.load("pico"), image, StudyOptions(stage=2, block=1, only=("kernels", "kernel_arithmetic")))
    found = seen.kernel_arithmetic
    assert (found.stage, found.block) == (2, 1)
    assert found.channels.tolist() == representatives(seen.kernels).tolist()
    assert np.array_equal(found.kernels, seen.kernels.kernels[found.channels])
    np.testing.assert_allclose(recomputed(found), found.outputs, rtol=1e-5, atol=1e-5)
    assert "kernel_arithmetic" not in (*DRAWN, *DEFAULT)


@pytest.fixture(scope="module")
def seen():
    return observe(recipe_model(), model_input(), (*KINDS, "stage"))
