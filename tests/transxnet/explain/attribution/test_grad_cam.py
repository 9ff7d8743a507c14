"""Grad-CAM against captum, pytorch-grad-cam, and the logit that the head's map sums to."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from tests.data.make_pytorch_grad_cam import FILE, LAYERS, image
from tests.fixtures.tiny_model import SPEC, leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange, UnknownName
from transxnet.explain.attribution.grad_cam import HEAD, grad_cam
from transxnet.explain.observe import observe
from transxnet.trace import Tap
from transxnet.weights.load import LoadedModel, load


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def observation(model):
    return observe(model, model_input(), ("stage", "block", "head"), grad=True)


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico", device="cpu")


# --- Against captum ---------------------------------------------------------------------------------------


def captum_map(model, layer: torch.nn.Module, x: torch.Tensor, index: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about captum's full backward hooks
        return LayerGradCam(model, layer).attribute(x, target=index)[0, 0].detach().numpy()


def is_close(heatmap: np.ndarray, expected: np.ndarray) -> bool:
    assert heatmap.shape == expected.shape
    return np.abs(heatmap - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("variant", ["transxnet_pico", "transxnet_t"])
def test_equals_captum_at_every_stage(variant):
    model = recipe_model(variant)
    observation = observe(model, model_input(64, 96), ("stage", "head"), grad=True)
    index = int(observation.logits.detach().argmax())
    for stage, layer in [*enumerate(model.stage_taps, 1), (HEAD, model.head_tap)]:
        assert is_close(grad_cam(observation, index, stage).heatmap, captum_map(model, layer, observation.x, index))
    assert leftover_state(model) == []


@pytest.mark.parametrize(("variant", "selected_blocks"), [("transxnet_pico", ()), ("transxnet_t", ((1, 2), (3, 5)))])
def test_equals_captum_at_blocks(variant, selected_blocks):
    """All blocks of pico, some of T."""
    model = recipe_model(variant)
    observation = observe(model, model_input(64, 96), ("stage", "block"), grad=True)
    index = int(observation.logits.detach().argmax())
    taps = [module for module in model.modules() if isinstance(module, Tap) and module.kind == "block"]
    assert len(taps) == sum(model.spec.depths)
    for tap in [tap for tap in taps if not selected_blocks or (tap.stage, tap.block) in selected_blocks]:
        explanation = grad_cam(observation, index, tap.stage, block=tap.block)
        assert explanation.layer == f"stage {tap.stage}, block {tap.block}"
        assert is_close(explanation.heatmap, captum_map(model, tap, observation.x, index))
    assert leftover_state(model) == []


def test_blocks_have_separate_maps(observation):
    stage = grad_cam(observation, 1, 3)
    for last in (None, 0, 3):
        assert np.array_equal(grad_cam(observation, 1, 3, block=last).heatmap, stage.heatmap)
    first_block = grad_cam(observation, 1, 3, block=1)
    assert (first_block.layer, first_block.geometry) == ("stage 3, block 1", stage.geometry)
    assert np.abs(first_block.heatmap - stage.heatmap).max() > 0.1 * np.abs(stage.heatmap).max()


# --- Against pytorch-grad-cam ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored():
    with np.load(FILE) as file:
        return dict(file)


def test_equals_pytorch_grad_cam_at_every_stage(pico, stored):
    assert pico.provenance.sha256 == str(stored["weights"]), "other weights: run tests/data/make_pytorch_grad_cam.py"
    x = torch.from_numpy(image())
    stored_input = dataclasses.replace(model_input(*x.shape[-2:]), tensor=x)
    observation = observe(pico.model, stored_input, ("stage", "head"), grad=True)
    for rank, index in enumerate(stored["classes"].tolist()):
        for layer in LAYERS:
            expected = stored[f"{rank}/{layer}"]
            heatmap = grad_cam(observation, index, layer).heatmap
            assert heatmap.shape == expected.shape
            assert np.abs(heatmap - expected).max() < 1e-4 * np.abs(expected).max()  # rounding differs between machines
    assert leftover_state(pico.model) == []


# --- The head -------------------------------------------------------------------------------------------------


def test_pico_head_map_plus_bias_is_the_logit(pico):
    observation = observe(pico.model, model_input(128, 96), ("head",), grad=True)
    for index in (0, 33, 199):
        cam = grad_cam(observation, index, HEAD)
        total = cam.heatmap.astype(float).sum() + cam.numbers["bias"]
        assert total == pytest.approx(float(observation.logits.detach()[0, index]), rel=1e-5, abs=1e-5)
        assert abs(cam.numbers["bias"]) < abs(cam.heatmap.sum())  # the map contributes more than the bias


@pytest.mark.parametrize("index", range(SPEC.num_classes))
def test_head_map_plus_bias_is_the_logit(observation, index):
    cam = grad_cam(observation, index, HEAD)
    assert cam.heatmap.sum() + cam.numbers["bias"] == pytest.approx(cam.numbers["logit"], rel=1e-5, abs=1e-5)
    assert cam.numbers["logit"] == float(observation.logits.detach()[0, index])


def test_head_map_by_hand(model, observation):
    """There y = W mean(A) + b, so w_k = W_k / (h w)."""
    features = observation.trace.find_one("head").tensor.detach()[0]  # (C, 3, 3)
    expected = torch.einsum("c,chw->hw", model.classifier[2].weight[2, :, 0, 0].detach() / 9, features)
    np.testing.assert_allclose(grad_cam(observation, 2, HEAD).heatmap, expected.numpy(), rtol=1e-4, atol=1e-6)


# --- Metadata and numbers ---------------------------------------------------------------------------------------------


def test_metadata(observation):
    cam = grad_cam(observation, 3, 2, class_name="ladybug")
    assert (cam.method, cam.model, cam.layer) == ("grad_cam", "transxnet_tiny", "stage 2, block 1")
    assert (cam.target, cam.units, cam.signed) == ("ladybug (class 3)", "logit", True)
    assert cam.geometry == observation.units(2)
    assert cam.heatmap.dtype == np.float32
    assert grad_cam(observation, 3).layer == "stage 4, block 2"  # the default
    assert grad_cam(observation, 3).target == "class 3"
    head = grad_cam(observation, 3, HEAD)
    assert (head.layer, head.geometry) == ("head, normalized features", observation.units(4))


def test_map_is_raw_and_signed(observation):
    cam = grad_cam(observation, 0, 3)
    assert cam.heatmap.min() < 0 < cam.heatmap.max()  # no ReLU, no scaling
    positive, negative = cam.heatmap[cam.heatmap > 0].sum(), -cam.heatmap[cam.heatmap < 0].sum()
    assert cam.numbers["positive_share"] == pytest.approx(positive / (positive + negative), rel=1e-5)
    assert cam.numbers["sum"] == pytest.approx(positive - negative, rel=1e-4)


def test_empty_map_has_no_positive_share(model):
    observation = observe(model, model_input(32, 32), grad=True, edits={"head": lambda tap, x: x * 0})
    assert np.isnan(grad_cam(observation, 0, HEAD).numbers["positive_share"])


def test_observation_can_be_reused_in_any_order(observation):
    first = grad_cam(observation, 1, 4).heatmap
    grad_cam(observation, 5, 1)
    assert np.array_equal(grad_cam(observation, 1, 4).heatmap, first)


def test_invalid_arguments_are_refused(model, observation):
    with pytest.raises(UnknownName, match="'neck' was not recorded"):
        grad_cam(observation, 0, "neck")
    for stage in (0, 5):
        with pytest.raises(OutOfRange, match="1 to 4"):
            grad_cam(observation, 0, stage)
    with pytest.raises(OutOfRange, match="no block 4"):
        grad_cam(observation, 0, 3, block=4)
    with pytest.raises(OutOfRange, match="0 to 6"):
        grad_cam(observation, 7)
    with pytest.raises(LensError, match="grad=True"):
        grad_cam(observe(model, model_input(32, 32)), 0)
    with pytest.raises(OutOfRange, match="'stage'"):
        grad_cam(observe(model, model_input(32, 32), ("head",), grad=True), 0)
    with pytest.raises(OutOfRange, match="'block'"):
        grad_cam(observe(model, model_input(32, 32), ("stage",), grad=True), 0, 3, block=1)
    assert leftover_state(model) == []
