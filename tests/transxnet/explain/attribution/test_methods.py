"""Every row of METHODS on one shared model: the answers stay, nothing stays behind, threads do not hear each other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.tiny import leftovers, model_input, one_thread, recipe_model  # noqa: F401 - a fixture
from transxnet.errors import OutOfRange
from transxnet.explain.attribution.cam_variants import combined_stages, contrast
from transxnet.explain.attribution.captum_methods import integrated_gradients
from transxnet.explain.attribution.grad_cam import grad_cam
from transxnet.explain.attribution.methods import KEEP, METHODS, AttributionTarget
from transxnet.explain.attribution.smooth_grad import smooth_grad
from transxnet.explain.observe import observe
from transxnet.trace import Trace, active_trace

QUESTION = AttributionTarget(3, "bee", stage=2)
ABOUT_CLASSES = [name for name, method in METHODS.items() if method.about_class]


@pytest.fixture(scope="module")
def model():
    return recipe_model()


def make(name: str, model, image, question=QUESTION, lock=None):
    method = METHODS[name]
    if method.is_multi_pass:
        return method.multi_pass(model, lock or threading.Lock(), image, question)
    return method.single_pass(observe(model, image, KEEP, grad=True), question)


@pytest.mark.parametrize("name", METHODS)
def test_a_map_leaves_the_answers_bit_by_bit_and_nothing_behind(model, name):
    image = model_input(64, 64)
    with torch.no_grad():
        before = model(image.tensor)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    found = make(name, model, image)
    with torch.no_grad():
        assert torch.equal(model(image.tensor), before)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert found.method == ("erf" if name == "receptive_field" else name)
    assert np.isfinite(found.heatmap).all()
    assert np.ptp(found.heatmap) > 0
    assert found.heatmap.dtype == np.float32
    assert found.geometry.grid == found.heatmap.shape
    assert leftovers(model) == []


@pytest.mark.parametrize("name", ABOUT_CLASSES)
def test_a_class_that_is_not_there_leaves_nothing_behind(model, name):
    lock = threading.Lock()
    with pytest.raises(OutOfRange, match="0 to 6"):
        make(name, model, model_input(32, 32), AttributionTarget(7), lock)
    assert not lock.locked()
    assert leftovers(model) == []


@pytest.mark.parametrize("name", METHODS)
def test_a_failure_inside_the_model_leaves_nothing_behind(model, name):
    def fail(tap, x):
        raise ZeroDivisionError

    lock, image = threading.Lock(), model_input(32, 32)
    if METHODS[name].is_multi_pass:
        with pytest.raises(ZeroDivisionError), Trace(edits={"head": fail}):
            make(name, model, image, lock=lock)
    else:
        with pytest.raises(ZeroDivisionError):
            observe(model, image, KEEP, grad=True, edits={"head": fail})
    assert not lock.locked()
    assert active_trace() is None
    assert leftovers(model) == []
    assert not image.tensor.requires_grad


def test_a_contrast_takes_the_questions_other_class(model):
    assert (
        make("contrast", model, model_input(32, 32), AttributionTarget(3, contrast_index=5)).numbers["other_index"] == 5
    )


THREADS = 8


def look(model, image, lock) -> list[np.ndarray]:
    seen = observe(model, image, KEEP, grad=True)
    found = [
        grad_cam(seen, 3), contrast(seen, 3), combined_stages(seen, 3),
        smooth_grad(model, lock, image, 3, samples=2), integrated_gradients(model, lock, image, 3, steps=2),
    ]  # fmt: skip
    return [one.heatmap for one in found]


def test_eight_threads_with_eight_images_get_the_maps_they_get_alone(model):
    images, lock = [model_input(64, 64, seed) for seed in range(THREADS)], threading.Lock()
    alone = [look(model, image, lock) for image in images]
    ready = threading.Barrier(THREADS, timeout=60)

    def when_all_are_ready(image):
        torch.set_num_threads(1)
        ready.wait()
        return look(model, image, lock)

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(when_all_are_ready, images))
    for mine, others, expected in zip(together, alone[1:] + alone[:1], alone, strict=True):
        for found, other, heatmap in zip(mine, others, expected, strict=True):
            assert np.abs(found - heatmap).max() < 1e-5 * np.abs(heatmap).max()
            assert np.abs(found - other).max() > 0.01 * np.abs(heatmap).max()  # another thread's would be told apart
    assert leftovers(model) == []
