"""Where units sit, against the middle of what they were built to see: the gradient of an all-positive linear net."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from transxnet.backbones.grids import Grid, GridTracker, grid_of

SIDE = 96


def ones(kernel: int, stride: int, padding: int = 0, dilation: int = 1, channels: int = 1) -> nn.Conv2d:
    conv = nn.Conv2d(channels, 1, kernel, stride, padding, dilation, bias=False)
    nn.init.ones_(conv.weight)
    return conv.requires_grad_(False)


class Same(nn.Module):
    """TensorFlow's padding, as timm's tf_ models have it: the odd pixel comes last."""

    def forward(self, x):
        return ones(3, 2)(F.pad(x, (0, 1, 0, 1)))


class Residual(nn.Module):
    """A shortcut that pools, as ResNet-D's: half a pixel beside the main path, which counts."""

    def forward(self, x):
        main = ones(3, 2, 1)(x)
        return main + 0 * F.avg_pool2d(x, 2, 2)


class Squeezed(nn.Module):
    """Attention over channels, from a global pooling and convolutions at one place: moves no unit."""

    def forward(self, x):
        return x * ones(1, 1)(x.mean(dim=(2, 3), keepdim=True)).detach()


class Merged(nn.Module):
    """Swin's patch merging: four neighbors side by side, channels last, and a linear layer."""

    def forward(self, x):  # (1, 1, h, w) -> (1, 1, h / 2, w / 2)
        b, c, h, w = x.shape
        x = x.permute(0, 2, 3, 1).reshape(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return F.linear(x, torch.ones(1, 4 * c)).permute(0, 3, 1, 2)


class Sliced(nn.Module):
    """LeViT's subsampling: every other row and column, channels last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1)[:, ::2, ::2].permute(0, 3, 1, 2)


class ReducedKeys(nn.Module):
    """PVT's attention looks at a map that a convolution reduced, and its queries stay where they are."""

    def forward(self, x):
        return x + 0 * F.interpolate(ones(8, 8)(x), size=x.shape[-2:])


CASES = {  # layers -> stride, origin
    "resnet": ([ones(7, 2, 3), nn.AvgPool2d(3, 2, 1), ones(3, 2, 1)], 8, 0.0),
    "patchify": ([ones(4, 4), ones(2, 2), ones(2, 2)], 16, 7.5),
    "tensorflow": ([Same(), Same(), Same()], 8, 7.0),
    "valid": ([ones(3, 2), ones(3, 1), ones(3, 2)], 4, 5.0),
    "dilated": ([ones(3, 1, 0, 2), ones(3, 2, 1)], 2, 2.0),
    "residual": ([Residual(), Residual()], 4, 0.0),
    "squeezed": ([ones(4, 4), Squeezed(), ones(2, 2)], 8, 3.5),
    "merged": ([ones(4, 4), Merged(), Merged()], 16, 7.5),
    "merged, then a convolution": ([nn.PixelUnshuffle(4), ones(3, 2, 1, channels=16)], 8, 1.5),
    "sliced": ([ones(4, 4), Sliced(), Sliced()], 16, 1.5),
    "reduced keys": ([ones(3, 2, 1), ReducedKeys(), ones(3, 2, 1)], 4, 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_unit_is_centered_on_its_gradient(name):
    layers, stride, origin = CASES[name]
    net = nn.Sequential(*layers)
    with torch.no_grad(), GridTracker(x := torch.rand(1, 1, SIDE, SIDE)):
        out = net(x)
    assert grid_of(out).of_rows(out.shape[-2], SIDE) == Grid(stride, origin)
    row, col = out.shape[-2] // 2, out.shape[-1] // 3 + 1
    assert middle(net, row, col) == pytest.approx((origin + stride * row, origin + stride * col), abs=1e-4)


@pytest.mark.parametrize("fused", [False, True])
def test_query_keeps_its_position(fused):
    """Attention that halves the map: few queries, from a convolution, look at many keys."""
    with torch.no_grad(), GridTracker(x := torch.rand(1, 1, 16, 16)):
        q, kv = (t.flatten(2).transpose(1, 2) for t in (ones(3, 2, 1)(x), x))  # (1, 64, 1), (1, 256, 1)
        out = F.scaled_dot_product_attention(q, kv, kv) if fused else (q @ kv.transpose(1, 2)).softmax(dim=-1) @ kv
    assert grid_of(out).of_rows(8, 16) == Grid(2, 0.0)


def test_max_and_average_pooling_give_equal_grids():
    with torch.no_grad(), GridTracker(x := torch.rand(1, 3, 32, 32)):
        pooled = nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(3, 2, 1))(x)
    assert grid_of(pooled) == Grid(4, 0.5)


def test_tensor_without_the_image_has_no_grid():
    with torch.no_grad(), GridTracker(torch.rand(1, 3, 32, 32)):
        assert grid_of(torch.ones(3) + 1) is None


def middle(net: nn.Module, row: int, col: int) -> tuple[float, float]:
    """(y, x): the centroid of |d unit / d image|."""
    x = torch.ones(1, 1, SIDE, SIDE, dtype=torch.float32, requires_grad=True)
    (slope,) = torch.autograd.grad(net(x)[0, 0, row, col], x)
    weight = slope[0, 0].double().abs()
    places = torch.arange(SIDE, dtype=torch.float64)
    total = weight.sum()
    return float((weight.sum(dim=1) * places).sum() / total), float((weight.sum(dim=0) * places).sum() / total)
