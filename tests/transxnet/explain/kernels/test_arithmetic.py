"""One output value of IDConv, step by step: 49 products and a bias sum to the model's output."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import transxnet
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, PartMissing
from transxnet.explain.kernels.arithmetic import kernel_arithmetic
from transxnet.explain.kernels.kernels import kernels, representatives
from transxnet.explain.observe import observe
from transxnet.images import decode, prepare_for
from transxnet.study import DEFAULT_ANALYSES, FIGURE_ANALYSES, StudyOptions, study

KINDS = ("idconv_input", "idconv", "kernels", "gates", "biases", "bias_gates")
MODELS = {
    "tiny": (recipe_model, 96, (1, 2, 3, 4)),
    "tiny without OSRA": (lambda: recipe_model(replace(SPEC, osra=False)), 96, (2,)),
    "tiny, static": (lambda: recipe_model(replace(SPEC, idconv=False)), 96, (3,)),
    "pico": (lambda: transxnet.load("pico").model, 128, (1, 2, 3, 4)),
    "T, untrained": (lambda: transxnet.load("t@untrained").model, 224, (2,)),
}


def recompute(arithmetic) -> np.ndarray:
    """The output of every unit by its definition, in float64: (n, H, W)."""
    height, width = arithmetic.units.grid
    size = arithmetic.kernels.shape[-1]
    padded = np.pad(arithmetic.inputs.astype(np.float64), ((0, 0), (size // 2, size // 2), (size // 2, size // 2)))
    outputs = np.zeros(arithmetic.inputs.shape) + arithmetic.biases[:, None, None]
    for u in range(size):
        for v in range(size):
            outputs += arithmetic.kernels[:, u, v, None, None] * padded[:, u : u + height, v : v + width]
    return outputs


@pytest.mark.parametrize("name", MODELS)
def test_products_and_bias_recompute_every_output(name):
    build_model, side, stages = MODELS[name]
    model = build_model()
    observation = observe(model, model_input(side, side), KINDS)
    for stage in stages:
        for block in range(1, model.spec.depths[stage - 1] + 1):
            arithmetic = kernel_arithmetic(
                observation, stage, block, representatives(kernels(observation, stage, block))
            )
            assert arithmetic.outputs.std() > 1e-3
            np.testing.assert_allclose(recompute(arithmetic), arithmetic.outputs, rtol=1e-5, atol=1e-5)
    assert leftover_state(model) == []


def test_gates_mix_the_learned_kernels(observation):
    for stage, groups in enumerate(SPEC.kernel_groups, start=1):
        arithmetic = kernel_arithmetic(observation, stage, None, (2, 0))
        assert arithmetic.gates.shape == arithmetic.learned_kernels.shape == (2, groups, 7, 7)
        np.testing.assert_allclose(arithmetic.gates.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(
            (arithmetic.gates * arithmetic.learned_kernels).sum(axis=1), arithmetic.kernels, atol=1e-6
        )
        np.testing.assert_allclose(arithmetic.learned_kernels.mean(axis=1), arithmetic.static_kernels, atol=1e-6)
        np.testing.assert_allclose(
            (arithmetic.bias_gates * arithmetic.learned_biases).sum(axis=1), arithmetic.biases, atol=1e-6
        )
        kernel_set = kernels(observation, stage)
        assert arithmetic.block == kernel_set.block
        assert np.array_equal(arithmetic.kernels, kernel_set.kernels[[2, 0]])
        assert np.array_equal(arithmetic.static_kernels, kernel_set.static_kernels[[2, 0]])


def test_patches_inside_and_in_a_corner(observation):
    arithmetic = kernel_arithmetic(observation, 2, 1, (5, 1))
    inside = arithmetic.inputs[1, 4:11, 2:9]
    assert np.array_equal(arithmetic.patch(1, 7, 5), inside)
    assert arithmetic.output(1, 7, 5) == pytest.approx(
        (inside * arithmetic.kernels[1]).sum() + arithmetic.biases[1], rel=1e-5
    )
    corner = arithmetic.patch(0, 0, 11)
    assert not corner[:3].any()
    assert not corner[:, 4:].any()
    assert np.array_equal(corner[3:, :4], arithmetic.inputs[0, :4, 8:])
    for row, col in ((0, 0), (0, 11), (11, 11), (7, 5)):
        assert arithmetic.output(0, row, col) == pytest.approx(arithmetic.outputs[0, row, col], rel=1e-5, abs=1e-6)


def test_without_idconv_the_learned_kernel_is_used():
    observation = observe(recipe_model(replace(SPEC, idconv=False)), model_input(), KINDS)
    arithmetic = kernel_arithmetic(observation, 3, 2, (4,))
    assert (arithmetic.gates == 1).all()
    assert (arithmetic.bias_gates == 1).all()
    for kernel in (arithmetic.static_kernels, arithmetic.learned_kernels[:, 0]):
        assert np.array_equal(arithmetic.kernels, kernel)


def test_units_have_the_stages_geometry(observation):
    arithmetic = kernel_arithmetic(observation, 3, None, (0,))
    assert arithmetic.units == observation.units(3)
    assert arithmetic.inputs.shape[1:] == arithmetic.units.grid == (6, 6)


def test_invalid_arguments_are_refused(observation):
    with pytest.raises(OutOfRange, match="no channel 12"):
        kernel_arithmetic(observation, 3, 1, (0, 12))
    with pytest.raises(OutOfRange, match="no channel -1"):
        kernel_arithmetic(observation, 3, 1, (-1,))
    with pytest.raises(OutOfRange, match="no stage 5"):
        kernel_arithmetic(observation, 5, 1, (0,))
    with pytest.raises(OutOfRange, match="'idconv_input'"):
        kernel_arithmetic(observe(observation.model, model_input(32, 32)), 1, 1, (0,))


def test_other_backbone_is_refused():
    backbone = transxnet.load("timm:resnet18@untrained")
    image = decode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with pytest.raises(PartMissing, match="generates no kernels"):
        kernel_arithmetic(observe(backbone.model, prepare_for(image, backbone.spec), ()), 3, None, (0,))


def test_study_uses_the_representative_channels():
    image = decode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    result = study(
        transxnet.load("pico"), image, StudyOptions(stage=2, block=1, analyses=("kernels", "kernel_arithmetic"))
    )
    arithmetic = result.kernel_arithmetic
    assert (arithmetic.stage, arithmetic.block) == (2, 1)
    assert arithmetic.channels.tolist() == representatives(result.kernels).tolist()
    assert np.array_equal(arithmetic.kernels, result.kernels.kernels[arithmetic.channels])
    np.testing.assert_allclose(recompute(arithmetic), arithmetic.outputs, rtol=1e-5, atol=1e-5)
    assert "kernel_arithmetic" not in (*FIGURE_ANALYSES, *DEFAULT_ANALYSES)


@pytest.fixture(scope="module")
def observation():
    return observe(recipe_model(), model_input(), (*KINDS, "stage"))
