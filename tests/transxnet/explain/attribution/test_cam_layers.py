"""Grad-CAM at any layer: blocks, modules by name, and several combined."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange, UnknownName
from transxnet.explain.attribution.cam_layers import parse_cam_layers
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.attribution.methods import METHODS, AttributionTarget, cam_modules, needed_by
from transxnet.explain.observe import observe
from transxnet.explain.sanity.randomization import compute_maps
from transxnet.results import Explanation

INPUT = model_input(96, 96)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    return recipe_model(SPEC)


def explain(model: torch.nn.Module, layer: int | str) -> Explanation:
    target = AttributionTarget(3, "bee", cam_layer=layer)
    observation = observe(model, INPUT, needed_by(target), grad=True, modules=cam_modules(layer))
    return METHODS["grad_cam"].single_pass(observation, target)


@pytest.mark.parametrize(
    ("layer", "module"),
    [
        ("3.2", "network.4.1.output"), ("3", "network.4.2.output"), ("1.1", "network.0.0.output"),
        ("network.4.1.norm2", "network.4.1.norm2"), ("patch_embed", "patch_embed"), ("network.5", "network.5"),
        ("network.2.0.token_mixer.global_unit", "network.2.0.token_mixer.global_unit"),
        ("network.0.1.token_mixer.global_unit.sr", "network.0.1.token_mixer.global_unit.sr"),
        ("network.6.0.mlp.dwconv", "network.6.0.mlp.dwconv"), ("classifier.0", "classifier.0"),
    ],
)  # fmt: skip
def test_equals_captum_at_every_layer(model, layer, module):
    result = explain(model, layer)
    captum = LayerGradCam(model, model.get_submodule(module)).attribute(INPUT.tensor, 3)
    expected = captum.detach()[0, 0].numpy()
    np.testing.assert_allclose(result.heatmap, expected, atol=1e-5 * np.abs(expected).max())
    assert leftover_state(model) == []


@pytest.mark.parametrize(
    ("layer", "stride"),
    [("patch_embed", 4), ("network.4.1.norm2", 16), ("network.5", 32), ("network.0.1.token_mixer.global_unit.sr", 32)],
)
def test_units_lie_where_their_layer_has_them(model, layer, stride):
    geometry = explain(model, layer).geometry
    assert (geometry.stride, geometry.origin) == (stride, 0.0)


def test_several_layers_are_combined(model):
    result = explain(model, "2,3.1,network.6.1")
    assert result.method == "cam_stages"
    assert result.layer == "stage 2, block 1, stage 3, block 1 and network.6.1, mean"
    assert 0 <= result.heatmap.min() <= result.heatmap.max() <= 1
    assert [part.layer for part in result.stage_maps] == ["stage 2, block 1", "stage 3, block 1", "network.6.1"]
    np.testing.assert_allclose(result.stage_maps[1].heatmap, explain(model, "3.1").heatmap, rtol=1e-5)


def test_the_head_still_sums_to_the_logit(model):
    result = explain(model, "head")
    assert result.numbers["sum"] + result.numbers["bias"] == pytest.approx(result.numbers["logit"], rel=1e-4)


def test_randomization_repeats_the_layer(model):
    target = AttributionTarget(3, "bee", cam_layer="network.4.1.norm2")
    maps = compute_maps(model, None, INPUT, target, {"grad_cam": METHODS["grad_cam"]})
    np.testing.assert_array_equal(maps["grad_cam"].heatmap, explain(model, "network.4.1.norm2").heatmap)


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("5", OutOfRange, "no stage 5"), ("3.9", OutOfRange, "no block 9"), ("0", OutOfRange, "no stage 0|one layer"),
        ("network.9", UnknownName, "no module called 'network.9'"), ("a b", UnknownName, "is not the name of a layer"),
        ("", UnknownName, "is not the name of a layer"), ("../x", UnknownName, "is not the name of a layer"),
        ("classifier.2", OutOfRange, "returns no map"),
        ("network.0.0.token_mixer.local_unit.proj.0", OutOfRange, "returns no map"),
        ("2,2", OutOfRange, "each layer once"), (",".join("123412341"), OutOfRange, "9 layers are named"),
    ],
)  # fmt: skip
def test_layers_that_do_not_exist(model, layer, error, message):
    with pytest.raises(error, match=message):
        explain(model, layer)
    assert leftover_state(model) == []


def test_grad_cam_still_takes_stage_and_block(model):
    observation = observe(model, INPUT, ("stage", "block"), grad=True)
    np.testing.assert_array_equal(grad_cam(observation, 3, 3, block=1).heatmap, grad_cam(observation, 3, "3.1").heatmap)


def test_parsing():
    assert [layer.text for layer in parse_cam_layers(" 2, head ,3.1")] == ["2", "head", "3.1"]
    assert cam_modules("2,network.4,head") == ("network.4",)
