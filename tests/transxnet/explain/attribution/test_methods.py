"""All METHODS on one shared model: predictions unchanged, no hooks or gradients left, threads independent."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.fixtures.tiny_model import leftover_state, model_input, recipe_model
from transxnet.errors import OutOfRange
from transxnet.explain.attribution.cam_variants import combined_layers, contrast
from transxnet.explain.attribution.captum_methods import integrated_gradients
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.attribution.methods import KEEP, METHODS, AttributionTarget
from transxnet.explain.attribution.smooth_grad import smooth_grad
from transxnet.explain.observe import observe
from transxnet.trace import Trace, active_trace

TARGET = AttributionTarget(3, "bee", stage=2)
CLASS_METHODS = [name for name, method in METHODS.items() if method.about_class]


@pytest.fixture(scope="module")
def model():
    return recipe_model()


def compute_map(name: str, model, image, target=TARGET, lock=None):
    method = METHODS[name]
    if method.is_multi_pass:
        return method.multi_pass(model, lock or threading.Lock(), image, target)
    return method.single_pass(observe(model, image, KEEP, grad=True), target)


@pytest.mark.parametrize("name", METHODS)
def test_methods_leave_the_model_unchanged(model, name):
    image = model_input(64, 64)
    with torch.no_grad():
        before = model(image.tensor)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    explanation = compute_map(name, model, image)
    with torch.no_grad():
        assert torch.equal(model(image.tensor), before)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert explanation.method == ("erf" if name == "receptive_field" else name)
    assert np.isfinite(explanation.heatmap).all()
    assert np.ptp(explanation.heatmap) > 0
    assert explanation.heatmap.dtype == np.float32
    assert explanation.geometry.grid == explanation.heatmap.shape
    assert leftover_state(model) == []


@pytest.mark.parametrize("name", CLASS_METHODS)
def test_invalid_class_cleans_up(model, name):
    lock = threading.Lock()
    with pytest.raises(OutOfRange, match="0 to 6"):
        compute_map(name, model, model_input(32, 32), AttributionTarget(7), lock)
    assert not lock.locked()
    assert leftover_state(model) == []


@pytest.mark.parametrize("name", METHODS)
def test_failure_inside_the_model_cleans_up(model, name):
    def fail(tap, x):
        raise ZeroDivisionError

    lock, image = threading.Lock(), model_input(32, 32)
    if METHODS[name].is_multi_pass:
        with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
            compute_map(name, model, image, lock=lock)
    else:
        with pytest.raises(ZeroDivisionError):
            observe(model, image, KEEP, grad=True, edits={"head": fail})
    assert not lock.locked()
    assert active_trace() is None
    assert leftover_state(model) == []
    assert not image.tensor.requires_grad


def test_contrast_uses_the_targets_contrast_class(model):
    assert (
        compute_map("contrast", model, model_input(32, 32), AttributionTarget(3, contrast_index=5)).numbers[
            "contrast_index"
        ]
        == 5
    )


THREADS = 4


def compute_maps(model, image, lock) -> list[np.ndarray]:
    observation = observe(model, image, KEEP, grad=True)
    explanations = [
        grad_cam(observation, 3), contrast(observation, 3), combined_layers(observation, 3),
        smooth_grad(model, lock, image, 3, samples=2), integrated_gradients(model, lock, image, 3, steps=2),
    ]  # fmt: skip
    return [explanation.heatmap for explanation in explanations]


def test_threads_do_not_mix_images(model):
    images, lock = [model_input(64, 64, seed) for seed in range(THREADS)], threading.Lock()
    sequential = [compute_maps(model, image, lock) for image in images]
    ready = threading.Barrier(THREADS, timeout=60)

    def compute_when_ready(image):
        torch.set_num_threads(1)
        ready.wait()
        return compute_maps(model, image, lock)

    with ThreadPoolExecutor(THREADS) as pool:
        threaded = list(pool.map(compute_when_ready, images))
    for maps, other_maps, expected_maps in zip(threaded, sequential[1:] + sequential[:1], sequential, strict=True):
        for heatmap_, other_heatmap, expected_heatmap in zip(maps, other_maps, expected_maps, strict=True):
            assert np.abs(heatmap_ - expected_heatmap).max() < 1e-5 * np.abs(expected_heatmap).max()
            assert (
                np.abs(heatmap_ - other_heatmap).max() > 0.01 * np.abs(expected_heatmap).max()
            )  # so a map of another thread would be detected
    assert leftover_state(model) == []
