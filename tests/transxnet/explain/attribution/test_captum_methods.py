"""Integrated gradients and occlusion against sums computed by hand."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from tests.fixtures.linear_model import linear_model
from tests.fixtures.tiny_model import leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.attribution.captum_methods import integrated_gradients, occlusion
from transxnet.trace import Trace

IMAGE = model_input(64, 64)
CLASS = 6  # the class whose logit differs most between this image and gray


@pytest.fixture(scope="module")
def model():
    return recipe_model()


@torch.no_grad()
def logit(model, x: torch.Tensor) -> float:
    return float(model(x)[0, CLASS])


# --- Integrated gradients -----------------------------------------------------------------------------


def test_integrated_gradients_by_hand(model):
    """x times the gradient's mean along the line from zeros, at Gauss-Legendre points."""
    x, total = IMAGE.tensor.double(), torch.zeros(1, 3, 64, 64, dtype=torch.float64)
    for position, weight in zip(*np.polynomial.legendre.leggauss(20), strict=True):  # on [-1, 1]
        point = ((position + 1) / 2 * x).float().requires_grad_()
        total += weight / 2 * torch.autograd.grad(model(point)[0, CLASS], point)[0]
    expected = (x * total).sum(dim=1)[0].numpy()
    heatmap = integrated_gradients(model, threading.Lock(), IMAGE, CLASS, steps=20).heatmap
    assert heatmap.dtype == np.float32
    assert np.abs(heatmap - expected).max() < 1e-4 * np.abs(expected).max()


def test_integrated_gradients_sum_to_the_logit_difference(model):
    few, many = (integrated_gradients(model, threading.Lock(), IMAGE, CLASS, n) for n in (4, 64))
    image, gray = logit(model, IMAGE.tensor), logit(model, torch.zeros(1, 3, 64, 64))
    numbers = many.numbers
    assert (numbers["logit"], numbers["baseline_logit"]) == pytest.approx((image, gray), rel=1e-4)
    assert abs(image - gray) > 0.5  # not trivially zero
    assert many.heatmap.sum() == pytest.approx(image - gray, rel=0.01)
    assert numbers["sum"] == pytest.approx(many.heatmap.sum(), rel=1e-5)
    assert numbers["completeness_error"] == pytest.approx(abs(numbers["sum"] / (image - gray) - 1), abs=1e-3)
    assert numbers["completeness_error"] < few.numbers["completeness_error"]


def test_integrated_gradients_metadata(model):
    explanation = integrated_gradients(model, threading.Lock(), IMAGE, CLASS, 2, class_name="bee")
    assert (explanation.method, explanation.layer, explanation.target) == (
        "integrated_gradients",
        "input pixels",
        "bee (class 6)",
    )
    assert (explanation.signed, explanation.units, explanation.geometry.stride) == (True, "logit", 1)
    assert explanation.heatmap.shape == explanation.geometry.grid == (64, 64)


def test_integrated_gradients_of_a_linear_model():
    """w x: every gradient on the path is w. Any classifier with a name and a number of classes is accepted."""
    model, image = linear_model(4, 20, 28), model_input(20, 28)
    explanation = integrated_gradients(model, threading.Lock(), image, 3, steps=2)
    expected = (model.weights[3].detach() * image.tensor[0]).sum(dim=0).numpy()
    np.testing.assert_allclose(explanation.heatmap, expected, atol=1e-5)
    assert explanation.numbers["completeness_error"] < 1e-5
    assert explanation.numbers["baseline_logit"] == 0.5
    assert explanation.model == "linear"


# --- Occlusion ----------------------------------------------------------------------------------------


def drop(model, y: int, x: int, patch: int) -> float:
    occluded = IMAGE.tensor.clone()
    occluded[..., y : y + patch, x : x + patch] = 0
    return logit(model, IMAGE.tensor) - logit(model, occluded)


def test_occlusion_is_the_logit_drop_per_patch(model):
    explanation = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=16, stride=16)
    expected = np.array([[drop(model, y, x, 16) for x in range(0, 64, 16)] for y in range(0, 64, 16)])
    np.testing.assert_allclose(explanation.heatmap, expected, atol=2e-5 * np.abs(expected).max() + 1e-5)
    assert np.abs(expected).max() > 0.05
    assert explanation.numbers["largest_drop"] == pytest.approx(expected.max(), rel=1e-3)
    assert explanation.numbers["logit"] == pytest.approx(logit(model, IMAGE.tensor), rel=1e-4)


def test_overlapping_patches_are_averaged_per_cell(model):
    explanation = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=32, stride=16)
    assert explanation.heatmap.shape == (4, 4)
    # cell (1, 3) covers y 16 … 31 and x 48 … 63: patches that begin at y 0 or 16 and x 32
    expected = (drop(model, 0, 32, 32) + drop(model, 16, 32, 32)) / 2
    assert explanation.heatmap[1, 3] == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("patch", "stride"), [(8, 4), (6, 6), (9, 3)])
def test_occlusion_of_a_linear_model(patch, stride):
    """A patch removes its summands. In 20 x 28 px, patches and cells are also cut off at the edges."""
    model, image = linear_model(4, 20, 28), model_input(20, 28)
    summands = (model.weights[3].detach() * image.tensor[0]).sum(dim=0).double().numpy()
    total, counts = np.zeros((20, 28)), np.zeros((20, 28))
    for y in range(0, -(-(20 - patch) // stride) * stride + 1, stride):
        for x in range(0, -(-(28 - patch) // stride) * stride + 1, stride):
            patch_pixels = np.s_[y : y + patch, x : x + patch]
            total[patch_pixels] += summands[patch_pixels].sum()
            counts[patch_pixels] += 1
    explanation = occlusion(model, threading.Lock(), image, 3, patch, stride)
    np.testing.assert_allclose(explanation.heatmap, (total / counts)[::stride, ::stride], atol=1e-4)
    assert explanation.geometry.grid == explanation.heatmap.shape
    assert explanation.model == "linear"


def test_cells_are_centered_on_their_pixels(model):
    explanation = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=32, stride=16)
    assert explanation.geometry.center(0, 0) == (7.5, 7.5)  # of pixels 0 … 15
    assert explanation.geometry.center(1, 3) == (55.5, 23.5)
    assert explanation.geometry.grid == (4, 4)
    assert (explanation.method, explanation.signed, explanation.units) == ("occlusion", True, "logit")
    assert (explanation.numbers["patch"], explanation.numbers["stride"]) == (32, 16)


def test_default_patch_is_an_eighth_of_the_input(model):
    explanation = occlusion(model, threading.Lock(), IMAGE, CLASS)
    assert (explanation.numbers["patch"], explanation.numbers["stride"], explanation.heatmap.shape) == (8, 4, (16, 16))


# --- Locking and cleanup -----------------------------------------------------------------------------------


CALLS = {
    "integrated_gradients": lambda model, lock: integrated_gradients(model, lock, IMAGE, CLASS, steps=4),
    "occlusion": lambda model, lock: occlusion(model, lock, IMAGE, CLASS, patch=32, stride=32),
}


@pytest.mark.parametrize("name", CALLS)
def test_captum_runs_under_the_lock_and_cleans_up(model, name):
    lock, lock_states = threading.Lock(), []

    def record_lock(tap, x):
        lock_states.append(lock.locked())
        return x

    with Trace(edits={"head": record_lock}):
        CALLS[name](model, lock)
    assert len(lock_states) >= 2
    assert all(lock_states)
    assert not lock.locked()
    assert leftover_state(model) == []
    assert not IMAGE.tensor.requires_grad
    assert model.training is False


def test_progress_counts_images(model):
    progress_calls = []
    integrated_gradients(
        model, threading.Lock(), IMAGE, CLASS, 20, progress=lambda *counts: progress_calls.append(counts)
    )
    assert progress_calls == [(16, 20), (20, 20)]
    progress_calls.clear()
    occlusion(model, threading.Lock(), IMAGE, CLASS, 24, 24, progress=lambda *counts: progress_calls.append(counts))
    assert progress_calls == [(1, 10), (10, 10)]  # the image, then nine patches


@pytest.mark.parametrize("method", [integrated_gradients, occlusion])
def test_interruption_by_progress_cleans_up(model, method):
    def stop(count, total):
        raise KeyboardInterrupt

    lock = threading.Lock()
    with pytest.raises(KeyboardInterrupt):
        method(model, lock, IMAGE, CLASS, progress=stop)
    assert not lock.locked()
    assert leftover_state(model) == []
    assert not IMAGE.tensor.requires_grad


@pytest.mark.parametrize("name", CALLS)
def test_failure_inside_captum_cleans_up(model, name):
    lock = threading.Lock()

    def fail(tap, x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
        CALLS[name](model, lock)
    assert not lock.locked()
    assert leftover_state(model) == []
    CALLS[name](model, lock)


def test_invalid_arguments_are_refused(model):
    lock = threading.Lock()
    with pytest.raises(OutOfRange, match="0 to 6"):
        integrated_gradients(model, lock, IMAGE, 7)
    with pytest.raises(OutOfRange, match="0 steps"):
        integrated_gradients(model, lock, IMAGE, CLASS, steps=0)
    with pytest.raises(OutOfRange, match="1 to 64"):
        occlusion(model, lock, IMAGE, CLASS, patch=65)
    with pytest.raises(OutOfRange, match="half the patch"):
        occlusion(model, lock, IMAGE, CLASS, patch=16, stride=5)
    model.train()
    try:
        with pytest.raises(LensError, match="training mode"):
            occlusion(model, lock, IMAGE, CLASS)
    finally:
        model.eval()
