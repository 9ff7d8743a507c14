"""The fast backward pass equals torch's, and is used only where it applies."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.fixtures import tiny_model
from transxnet.model import TransXNet
from transxnet.training import depthwise
from transxnet.training.depthwise import FastDepthwise


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_equal_torchs(kernel, layout):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 5, 9, 8, generator=generator, dtype=torch.float64).to(memory_format=layout).requires_grad_()
    weight, bias, out = (
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((5, 1, kernel, kernel), (5,), (3, 5, 9, 8))
    )
    expected = F.conv2d(x, weight, bias, padding=kernel // 2, groups=5)
    ours = depthwise.depthwise(x, weight, bias)
    assert torch.equal(ours, expected)
    expected_gradients = torch.autograd.grad(expected, (x, weight, bias), out)
    gradients = torch.autograd.grad(ours, (x, weight, bias), out)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-10, atol=1e-10)


def test_gradients_of_a_model():
    gradients = []
    for fast in (False, True):
        model = tiny_model.recipe_model().double().train()
        x = torch.randn(2, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        with FastDepthwise() if fast else torch.enable_grad():
            loss = F.cross_entropy(model(x), torch.tensor([1, 4]))
        loss.backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    largest = max(gradient.abs().max() for gradient in gradients[0].values())
    for name, expected in gradients[0].items():
        assert (gradients[1][name] - expected).abs().max() < 1e-9 * largest, name


def record_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Kernel shapes of the calls of `depthwise`."""
    calls, function = [], depthwise.depthwise
    monkeypatch.setattr(depthwise, "depthwise", lambda x, w, b=None: calls.append(tuple(w.shape)) or function(x, w, b))
    return calls


def test_used_for_every_depthwise_convolution(monkeypatch):
    calls = record_calls(monkeypatch)
    model = TransXNet(tiny_model.SPEC).eval()
    with FastDepthwise(), torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    blocks = sum(tiny_model.SPEC.depths)
    # per block: DPE 7, IDConv 7, OSRA's local 3, STE 3, MS-FFN 3, 5 and 7
    assert sorted(shape[-1] for shape in calls) == sorted([7, 7, 3, 3, 3, 5, 7] * blocks)


@pytest.mark.parametrize(
    "options",
    [{"groups": 1}, {"groups": 2}, {"groups": 4, "stride": 2}, {"groups": 4, "padding": 0},
     {"groups": 4, "dilation": 2, "padding": 2}],
)  # fmt: skip
def test_other_convolutions_use_torch(options, monkeypatch):
    calls = record_calls(monkeypatch)
    options = {"padding": 1} | options
    x, weight = torch.randn(2, 4, 8, 8), torch.randn(4, 4 // options["groups"], 3, 3)
    with FastDepthwise():
        out = F.conv2d(x, weight, **options)
    assert torch.equal(out, F.conv2d(x, weight, **options))
    assert not calls
