"""Grad-CAM against captum's, and against the logit, which the head's map must add up to."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam

from tests.tiny import SPEC, leftovers, one_thread, prepared, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.grad_cam import HEAD, grad_cam
from transxnet.explain.observe import observe


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@pytest.fixture(scope="module")
def seen(model):
    return observe(model, prepared(), grad=True)


@pytest.mark.parametrize("variant", ["transxnet_pico", "transxnet_t"])
def test_equals_captum_at_every_stage(variant):
    model = recipe_model(variant)
    seen = observe(model, prepared(96, 96), ("stage", "head"), grad=True)
    index = int(seen.logits.detach().argmax())
    layers = [*enumerate(model.stage_taps, 1), (HEAD, model.head_tap)]
    for stage, layer in layers:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # captum hooks full backward passes; torch says so
            expected = LayerGradCam(model, layer).attribute(seen.x, target=index)[0, 0].detach().numpy()
        heat = grad_cam(seen, index, stage).heat
        assert heat.shape == expected.shape
        assert np.abs(heat - expected).max() < 1e-5 * np.abs(expected).max()
    assert leftovers(model) == []


@pytest.mark.parametrize("index", range(SPEC.num_classes))
def test_the_heads_map_and_the_bias_add_up_to_the_logit(seen, index):
    cam = grad_cam(seen, index, HEAD)
    assert cam.heat.sum() + cam.numbers["bias"] == pytest.approx(cam.numbers["logit"], rel=1e-5, abs=1e-5)
    assert cam.numbers["logit"] == float(seen.logits.detach()[0, index])


def test_the_heads_map_by_hand(model, seen):
    """There y = W mean(A) + b, so w_k = W_k / (h w)."""
    features = seen.trace.one("head").tensor.detach()[0]  # (C, 3, 3)
    expected = torch.einsum("c,chw->hw", model.classifier[2].weight[2, :, 0, 0].detach() / 9, features)
    np.testing.assert_allclose(grad_cam(seen, 2, HEAD).heat, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_the_map_says_what_it_is(seen):
    cam = grad_cam(seen, 3, 2, target_words="ladybug")
    assert (cam.method, cam.variant, cam.layer) == ("grad_cam", "transxnet_tiny", "stage 2, block 1")
    assert (cam.target, cam.units, cam.signed) == ("ladybug (class 3)", "logit", True)
    assert cam.geometry == seen.units(2)
    assert cam.heat.dtype == np.float32
    assert grad_cam(seen, 3).layer == "stage 4, block 2"  # the default
    assert grad_cam(seen, 3).target == "class 3"
    head = grad_cam(seen, 3, HEAD)
    assert (head.layer, head.geometry) == ("head, normalised features", seen.units(4))


def test_it_is_raw_and_signed_with_its_numbers(seen):
    cam = grad_cam(seen, 0, 3)
    assert cam.heat.min() < 0 < cam.heat.max()  # no ReLU, no scaling
    positive, negative = cam.heat[cam.heat > 0].sum(), -cam.heat[cam.heat < 0].sum()
    assert cam.numbers["positive_share"] == pytest.approx(positive / (positive + negative), rel=1e-5)
    assert cam.numbers["sum"] == pytest.approx(positive - negative, rel=1e-4)


def test_an_empty_map_has_no_positive_share(model):
    seen = observe(model, prepared(32, 32), grad=True, edits={"head": lambda tap, x: x * 0})
    assert np.isnan(grad_cam(seen, 0, HEAD).numbers["positive_share"])


def test_it_can_be_asked_again_in_any_order(seen):
    first = grad_cam(seen, 1, 4).heat
    grad_cam(seen, 5, 1)
    assert np.array_equal(grad_cam(seen, 1, 4).heat, first)


def test_what_is_refused(model, seen):
    for wrong in (0, 5, "neck"):
        with pytest.raises(OutOfRange, match="1 to 4"):
            grad_cam(seen, 0, wrong)
    with pytest.raises(OutOfRange, match="0 to 6"):
        grad_cam(seen, 7)
    with pytest.raises(LensError, match="grad=True"):
        grad_cam(observe(model, prepared(32, 32)), 0)
    with pytest.raises(OutOfRange, match="'stage'"):
        grad_cam(observe(model, prepared(32, 32), ("head",), grad=True), 0)
    assert leftovers(model) == []
