"""SmoothGrad against a mean computed by hand, and on a model with a constant gradient."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from tests.fixtures.linear_model import linear_model
from tests.fixtures.tiny_model import leftover_state, model_input, recipe_model
from transxnet.errors import LensError, OutOfRange
from transxnet.explain.attribution.smooth_grad import smooth_grad
from transxnet.trace import Trace

IMAGE = model_input(32, 48)


@pytest.fixture(scope="module")
def model():
    return recipe_model()


def gradient(model, x: torch.Tensor, index: int) -> torch.Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(model(x)[0, index], x)[0]


@pytest.mark.parametrize(("samples", "noise", "seed"), [(1, 0.1, 0), (7, 3.0, 1), (40, 100.0, 2)])
def test_linear_model_gives_its_exact_gradient(samples, noise, seed):
    model = linear_model(3, 32, 48)
    explanation = smooth_grad(model, threading.Lock(), IMAGE, 2, samples, noise, seed)
    expected = model.weights[2].detach().double().sum(dim=0).float()
    assert np.array_equal(explanation.heatmap, expected.numpy())
    assert explanation.model == "linear"


def test_map_is_the_mean_gradient_of_noisy_copies(model):
    """20 samples, more than one batch; the noise is drawn as documented."""
    x, generator = IMAGE.tensor, torch.Generator().manual_seed(5)
    sigma = 0.2 * float(x.max() - x.min())
    gradients = [gradient(model, x + sigma * torch.randn(x.shape[1:], generator=generator), 4) for _ in range(20)]
    expected = torch.stack(gradients).mean(dim=0).sum(dim=1)[0].numpy()
    explanation = smooth_grad(model, threading.Lock(), IMAGE, 4, samples=20, noise=0.2, seed=5)
    assert explanation.heatmap.dtype == np.float32
    assert np.abs(explanation.heatmap - expected).max() < 1e-4 * np.abs(expected).max()
    assert explanation.heatmap.min() < 0 < explanation.heatmap.max()  # signed
    assert explanation.numbers["sigma"] == pytest.approx(sigma)
    even, odd = (torch.stack(gradients[i::2]).sum(dim=(0, 2)).ravel().numpy() for i in (0, 1))
    assert explanation.numbers["halves_correlation"] == pytest.approx(np.corrcoef(even, odd)[0, 1], abs=1e-3)


def test_zero_noise_gives_the_gradient(model):
    explanation = smooth_grad(model, threading.Lock(), IMAGE, 1, samples=3, noise=0)
    expected = gradient(model, IMAGE.tensor, 1).sum(dim=1)[0].numpy()
    assert np.abs(explanation.heatmap - expected).max() < 1e-4 * np.abs(expected).max()
    assert explanation.numbers["halves_correlation"] == pytest.approx(1)


def test_seed_is_reproducible_and_global_state_unchanged(model):
    before = torch.get_rng_state()
    first, second, other = (smooth_grad(model, threading.Lock(), IMAGE, 1, 5, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(first.heatmap, second.heatmap)
    assert not np.array_equal(first.heatmap, other.heatmap)


def test_metadata_and_progress(model):
    progress_calls = []
    lock = threading.Lock()
    explanation = smooth_grad(
        model, lock, IMAGE, 6, 20, class_name="bee", progress=lambda *counts: progress_calls.append(counts)
    )
    assert (explanation.method, explanation.layer, explanation.target) == (
        "smooth_grad",
        "input pixels",
        "bee (class 6)",
    )
    assert (explanation.signed, explanation.units) == (True, "logit per unit of normalized input")
    assert explanation.heatmap.shape == explanation.geometry.grid == (32, 48)
    assert explanation.geometry.stride == 1
    assert (explanation.numbers["samples"], explanation.numbers["noise"], explanation.numbers["seed"]) == (20, 0.15, 0)
    with torch.no_grad():
        assert explanation.numbers["logit"] == float(model(IMAGE.tensor)[0, 6])
    assert progress_calls == [(16, 20), (20, 20)]


def test_runs_under_the_lock_and_cleans_up(model):
    lock, lock_states = threading.Lock(), []

    def record_lock(tap, x):
        lock_states.append(lock.locked())
        return x

    def stop(count, total):
        raise KeyboardInterrupt

    with Trace(edits={"head": record_lock}):
        smooth_grad(model, lock, IMAGE, 0, samples=2)
    assert lock_states == [True, True]
    with pytest.raises(KeyboardInterrupt):
        smooth_grad(model, lock, IMAGE, 0, progress=stop)
    assert not lock.locked()
    assert leftover_state(model) == []
    assert not IMAGE.tensor.requires_grad


def test_invalid_arguments_are_refused(model):
    lock = threading.Lock()
    with pytest.raises(OutOfRange, match="0 to 6"):
        smooth_grad(model, lock, IMAGE, 7)
    with pytest.raises(OutOfRange, match="0 samples"):
        smooth_grad(model, lock, IMAGE, 0, samples=0)
    for noise in (-0.1, float("nan")):
        with pytest.raises(OutOfRange, match="noise of"):
            smooth_grad(model, lock, IMAGE, 0, noise=noise)
    model.train()
    try:
        with pytest.raises(LensError, match="training mode"):
            smooth_grad(model, lock, IMAGE, 0)
    finally:
        model.eval()
