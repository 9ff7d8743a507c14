"""Integrated gradients and occlusion against the same sums done by hand."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from tests.linear import linear_model
from tests.tiny import leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
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
    """x times the gradient's mean along the line from zeros, at Gauss and Legendre's points."""
    x, total = IMAGE.tensor.double(), torch.zeros(1, 3, 64, 64, dtype=torch.float64)
    for position, weight in zip(*np.polynomial.legendre.leggauss(20), strict=True):  # on [-1, 1]
        at = ((position + 1) / 2 * x).float().requires_grad_()
        total += weight / 2 * torch.autograd.grad(model(at)[0, CLASS], at)[0]
    expected = (x * total).sum(dim=1)[0].numpy()
    heatmap = integrated_gradients(model, threading.Lock(), IMAGE, CLASS, steps=20).heatmap
    assert heatmap.dtype == np.float32
    assert np.abs(heatmap - expected).max() < 1e-4 * np.abs(expected).max()


def test_integrated_gradients_add_up_to_what_the_image_brings(model):
    few, many = (integrated_gradients(model, threading.Lock(), IMAGE, CLASS, n) for n in (4, 64))
    image, gray = logit(model, IMAGE.tensor), logit(model, torch.zeros(1, 3, 64, 64))
    numbers = many.numbers
    assert (numbers["logit"], numbers["baseline_logit"]) == pytest.approx((image, gray), rel=1e-4)
    assert abs(image - gray) > 0.5  # there is something to add up
    assert many.heatmap.sum() == pytest.approx(image - gray, rel=0.01)
    assert numbers["sum"] == pytest.approx(many.heatmap.sum(), rel=1e-5)
    assert numbers["completeness_error"] == pytest.approx(abs(numbers["sum"] / (image - gray) - 1), abs=1e-3)
    assert numbers["completeness_error"] < few.numbers["completeness_error"]


def test_integrated_gradients_say_what_they_are(model):
    found = integrated_gradients(model, threading.Lock(), IMAGE, CLASS, 2, target_words="bee")
    assert (found.method, found.layer, found.target) == ("integrated_gradients", "input pixels", "bee (class 6)")
    assert (found.signed, found.units, found.geometry.stride) == (True, "logit", 1)
    assert found.heatmap.shape == found.geometry.grid == (64, 64)


def test_a_linear_models_integrated_gradients_are_its_summands():
    """w x: every gradient on the way is w. No TransXNet: any classifier that says its name and its classes will do."""
    model, image = linear_model(4, 20, 28), model_input(20, 28)
    found = integrated_gradients(model, threading.Lock(), image, 3, steps=2)
    expected = (model.weights[3].detach() * image.tensor[0]).sum(dim=0).numpy()
    np.testing.assert_allclose(found.heatmap, expected, atol=1e-5)
    assert found.numbers["completeness_error"] < 1e-5
    assert found.numbers["baseline_logit"] == 0.5
    assert found.model == "linear"


# --- Occlusion ----------------------------------------------------------------------------------------


def drop(model, y: int, x: int, patch: int) -> float:
    covered = IMAGE.tensor.clone()
    covered[..., y : y + patch, x : x + patch] = 0
    return logit(model, IMAGE.tensor) - logit(model, covered)


def test_occlusion_is_the_drop_when_a_patch_turns_gray(model):
    found = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=16, stride=16)
    expected = np.array([[drop(model, y, x, 16) for x in range(0, 64, 16)] for y in range(0, 64, 16)])
    np.testing.assert_allclose(found.heatmap, expected, atol=2e-5 * np.abs(expected).max() + 1e-5)
    assert np.abs(expected).max() > 0.05
    assert found.numbers["largest_drop"] == pytest.approx(expected.max(), rel=1e-3)
    assert found.numbers["logit"] == pytest.approx(logit(model, IMAGE.tensor), rel=1e-4)


def test_overlapping_patches_are_averaged_cell_by_cell(model):
    found = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=32, stride=16)
    assert found.heatmap.shape == (4, 4)
    # cell (1, 3) covers y 16 … 31 and x 48 … 63: patches that begin at y 0 or 16 and x 32
    expected = (drop(model, 0, 32, 32) + drop(model, 16, 32, 32)) / 2
    assert found.heatmap[1, 3] == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("patch", "stride"), [(8, 4), (6, 6), (9, 3)])
def test_a_linear_models_occlusion_has_a_closed_form(patch, stride):
    """A patch takes its summands away. 20 x 28 px: patches and cells are cut off at the edges, too."""
    model, image = linear_model(4, 20, 28), model_input(20, 28)
    summands = (model.weights[3].detach() * image.tensor[0]).sum(dim=0).double().numpy()
    total, times = np.zeros((20, 28)), np.zeros((20, 28))
    for y in range(0, -(-(20 - patch) // stride) * stride + 1, stride):
        for x in range(0, -(-(28 - patch) // stride) * stride + 1, stride):
            covered = np.s_[y : y + patch, x : x + patch]
            total[covered] += summands[covered].sum()
            times[covered] += 1
    found = occlusion(model, threading.Lock(), image, 3, patch, stride)
    np.testing.assert_allclose(found.heatmap, (total / times)[::stride, ::stride], atol=1e-4)
    assert found.geometry.grid == found.heatmap.shape
    assert found.model == "linear"


def test_cells_sit_in_the_middle_of_their_pixels(model):
    found = occlusion(model, threading.Lock(), IMAGE, CLASS, patch=32, stride=16)
    assert found.geometry.center(0, 0) == (7.5, 7.5)  # of pixels 0 … 15
    assert found.geometry.center(1, 3) == (55.5, 23.5)
    assert found.geometry.grid == (4, 4)
    assert (found.method, found.signed, found.units) == ("occlusion", True, "logit")
    assert (found.numbers["patch"], found.numbers["stride"]) == (32, 16)


def test_the_patch_is_an_eighth_of_the_view_unless_said(model):
    found = occlusion(model, threading.Lock(), IMAGE, CLASS)
    assert (found.numbers["patch"], found.numbers["stride"], found.heatmap.shape) == (8, 4, (16, 16))


# --- Alone, and clean -----------------------------------------------------------------------------------


CALLS = {
    "integrated_gradients": lambda model, lock: integrated_gradients(model, lock, IMAGE, CLASS, steps=4),
    "occlusion": lambda model, lock: occlusion(model, lock, IMAGE, CLASS, patch=32, stride=32),
}


@pytest.mark.parametrize("name", CALLS)
def test_captum_runs_under_the_lock_and_leaves_nothing(model, name):
    lock, held = threading.Lock(), []

    def watch(tap, x):
        held.append(lock.locked())
        return x

    with Trace(edits={"head": watch}):
        CALLS[name](model, lock)
    assert len(held) >= 2
    assert all(held)
    assert not lock.locked()
    assert leftovers(model) == []
    assert not IMAGE.tensor.requires_grad
    assert model.training is False


def test_progress_counts_images(model):
    told = []
    integrated_gradients(model, threading.Lock(), IMAGE, CLASS, 20, progress=lambda *counts: told.append(counts))
    assert told == [(16, 20), (20, 20)]
    told.clear()
    occlusion(model, threading.Lock(), IMAGE, CLASS, 24, 24, progress=lambda *counts: told.append(counts))
    assert told == [(1, 10), (10, 10)]  # the image, then nine patches


@pytest.mark.parametrize("method", [integrated_gradients, occlusion])
def test_who_stops_it_through_progress_leaves_nothing(model, method):
    def stop(done, total):
        raise KeyboardInterrupt

    lock = threading.Lock()
    with pytest.raises(KeyboardInterrupt):
        method(model, lock, IMAGE, CLASS, progress=stop)
    assert not lock.locked()
    assert leftovers(model) == []
    assert not IMAGE.tensor.requires_grad


@pytest.mark.parametrize("name", CALLS)
def test_a_failure_inside_captum_leaves_nothing(model, name):
    lock = threading.Lock()

    def fail(tap, x):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
        CALLS[name](model, lock)
    assert not lock.locked()
    assert leftovers(model) == []
    CALLS[name](model, lock)


def test_what_is_refused(model):
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
