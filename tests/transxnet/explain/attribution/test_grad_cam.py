"""Grad-CAM against captum's, pytorch-grad-cam's numbers, and the logit that the head's map adds up to."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from tests.data.make_pytorch_grad_cam import FILE, LAYERS, image
from tests.tiny import SPEC, leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.attribution.grad_cam import HEAD, grad_cam
from transxnet.explain.observe import observe
from transxnet.trace import Tap
from transxnet.weights.load import LoadedModel, load


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, model_input(), ("stage", "block", "head"), grad=True)


@pytest.fixture(scope="module")
def pico() -> LoadedModel:
    return load("pico", device="cpu")


# --- Against captum ---------------------------------------------------------------------------------------


def captums(model, layer: torch.nn.Module, x: torch.Tensor, index: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # captum hooks full backward passes; torch says so
        return LayerGradCam(model, layer).attribute(x, target=index)[0, 0].detach().numpy()


def same(heatmap: np.ndarray, expected: np.ndarray) -> bool:
    assert heatmap.shape == expected.shape
    return np.abs(heatmap - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("variant", ["transxnet_pico", "transxnet_t"])
def test_equals_captum_at_every_stage(variant):
    model = recipe_model(variant)
    seen = observe(model, model_input(64, 96), ("stage", "head"), grad=True)
    index = int(seen.logits.detach().argmax())
    for stage, layer in [*enumerate(model.stage_taps, 1), (HEAD, model.head_tap)]:
        assert same(grad_cam(seen, index, stage).heatmap, captums(model, layer, seen.x, index))
    assert leftovers(model) == []


@pytest.mark.parametrize(("variant", "some"), [("transxnet_pico", ()), ("transxnet_t", ((1, 2), (3, 5)))])
def test_equals_captum_at_blocks(variant, some):
    """At every one of pico's, at some of T's."""
    model = recipe_model(variant)
    seen = observe(model, model_input(64, 96), ("stage", "block"), grad=True)
    index = int(seen.logits.detach().argmax())
    taps = [module for module in model.modules() if isinstance(module, Tap) and module.kind == "block"]
    assert len(taps) == sum(model.spec.depths)
    for tap in [tap for tap in taps if not some or (tap.stage, tap.block) in some]:
        found = grad_cam(seen, index, tap.stage, block=tap.block)
        assert found.layer == f"stage {tap.stage}, block {tap.block}"
        assert same(found.heatmap, captums(model, tap, seen.x, index))
    assert leftovers(model) == []


def test_a_block_has_its_own_map_and_the_stages_last_is_the_stages(seen):
    stage = grad_cam(seen, 1, 3)
    for last in (None, 0, 3):
        assert np.array_equal(grad_cam(seen, 1, 3, block=last).heatmap, stage.heatmap)
    first = grad_cam(seen, 1, 3, block=1)
    assert (first.layer, first.geometry) == ("stage 3, block 1", stage.geometry)
    assert np.abs(first.heatmap - stage.heatmap).max() > 0.1 * np.abs(stage.heatmap).max()


# --- Against pytorch-grad-cam ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stored():
    with np.load(FILE) as file:
        return dict(file)


def test_equals_pytorch_grad_cams_raw_map_at_every_stage_of_the_bundled_pico(pico, stored):
    assert pico.provenance.sha256 == str(stored["weights"]), "other weights: run tests/data/make_pytorch_grad_cam.py"
    x = torch.from_numpy(image())
    shown = dataclasses.replace(model_input(*x.shape[-2:]), tensor=x)
    seen = observe(pico.model, shown, ("stage", "head"), grad=True)
    for place, index in enumerate(stored["classes"].tolist()):
        for layer in LAYERS:
            expected = stored[f"{place}/{layer}"]
            heatmap = grad_cam(seen, index, layer).heatmap
            assert heatmap.shape == expected.shape
            assert np.abs(heatmap - expected).max() < 1e-4 * np.abs(expected).max()  # other machines round otherwise
    assert leftovers(pico.model) == []


# --- The head -------------------------------------------------------------------------------------------------


def test_the_bundled_picos_head_map_and_the_bias_add_up_to_the_logit(pico):
    seen = observe(pico.model, model_input(128, 96), ("head",), grad=True)
    for index in (0, 33, 199):
        cam = grad_cam(seen, index, HEAD)
        total = cam.heatmap.astype(float).sum() + cam.numbers["bias"]
        assert total == pytest.approx(float(seen.logits.detach()[0, index]), rel=1e-5, abs=1e-5)
        assert abs(cam.numbers["bias"]) < abs(cam.heatmap.sum())  # the map, and not the bias, is what adds up


@pytest.mark.parametrize("index", range(SPEC.num_classes))
def test_the_heads_map_and_the_bias_add_up_to_the_logit(seen, index):
    cam = grad_cam(seen, index, HEAD)
    assert cam.heatmap.sum() + cam.numbers["bias"] == pytest.approx(cam.numbers["logit"], rel=1e-5, abs=1e-5)
    assert cam.numbers["logit"] == float(seen.logits.detach()[0, index])


def test_the_heads_map_by_hand(model, seen):
    """There y = W mean(A) + b, so w_k = W_k / (h w)."""
    features = seen.trace.one("head").tensor.detach()[0]  # (C, 3, 3)
    expected = torch.einsum("c,chw->hw", model.classifier[2].weight[2, :, 0, 0].detach() / 9, features)
    np.testing.assert_allclose(grad_cam(seen, 2, HEAD).heatmap, expected.numpy(), rtol=1e-4, atol=1e-6)


# --- What it says ---------------------------------------------------------------------------------------------


def test_the_map_says_what_it_is(seen):
    cam = grad_cam(seen, 3, 2, target_words="ladybug")
    assert (cam.method, cam.model, cam.layer) == ("grad_cam", "transxnet_tiny", "stage 2, block 1")
    assert (cam.target, cam.units, cam.signed) == ("ladybug (class 3)", "logit", True)
    assert cam.geometry == seen.units(2)
    assert cam.heatmap.dtype == np.float32
    assert grad_cam(seen, 3).layer == "stage 4, block 2"  # the default
    assert grad_cam(seen, 3).target == "class 3"
    head = grad_cam(seen, 3, HEAD)
    assert (head.layer, head.geometry) == ("head, normalized features", seen.units(4))


def test_it_is_raw_and_signed_with_its_numbers(seen):
    cam = grad_cam(seen, 0, 3)
    assert cam.heatmap.min() < 0 < cam.heatmap.max()  # no ReLU, no scaling
    positive, negative = cam.heatmap[cam.heatmap > 0].sum(), -cam.heatmap[cam.heatmap < 0].sum()
    assert cam.numbers["positive_share"] == pytest.approx(positive / (positive + negative), rel=1e-5)
    assert cam.numbers["sum"] == pytest.approx(positive - negative, rel=1e-4)


def test_an_empty_map_has_no_positive_share(model):
    seen = observe(model, model_input(32, 32), grad=True, edits={"head": lambda tap, x: x * 0})
    assert np.isnan(grad_cam(seen, 0, HEAD).numbers["positive_share"])


def test_it_can_be_asked_again_in_any_order(seen):
    first = grad_cam(seen, 1, 4).heatmap
    grad_cam(seen, 5, 1)
    assert np.array_equal(grad_cam(seen, 1, 4).heatmap, first)


def test_what_is_refused(model, seen):
    for wrong in (0, 5, "neck"):
        with pytest.raises(OutOfRange, match="1 to 4"):
            grad_cam(seen, 0, wrong)
    with pytest.raises(OutOfRange, match="no block 4"):
        grad_cam(seen, 0, 3, block=4)
    with pytest.raises(OutOfRange, match="0 to 6"):
        grad_cam(seen, 7)
    with pytest.raises(LensError, match="grad=True"):
        grad_cam(observe(model, model_input(32, 32)), 0)
    with pytest.raises(OutOfRange, match="'stage'"):
        grad_cam(observe(model, model_input(32, 32), ("head",), grad=True), 0)
    with pytest.raises(OutOfRange, match="'block'"):
        grad_cam(observe(model, model_input(32, 32), ("stage",), grad=True), 0, 3, block=1)
    assert leftovers(model) == []
