"""Depthwise convolutions with a fast backward pass on CPUs, for training only; the model itself is unchanged.

The gradient of a depthwise convolution's kernel is itself a depthwise convolution: of the input, with the gradient
of the output as the kernel. oneDNN runs that as fast as the forward pass, and its weight gradient 5 to 40 times slower
(torch 2.15, 7 x 7 kernels at the sizes of pico's stages). The sums are the same, in another order.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class FastDepthwise(TorchFunctionMode):
    """Context in which `F.conv2d` uses `depthwise` on CPUs for one channel per group, stride 1 and "same" padding."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return (_conv2d if function in (F.conv2d, torch.conv2d) else function)(*args, **(kwargs or {}))


def _conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """F.conv2d, by `depthwise` where it applies."""
    channels, channels_per_group, kh, kw = weight.shape
    if (
        input.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and input.dim() == 4
        and groups == channels == input.shape[1]
        and channels_per_group == 1
        and kh == kw > 1
        and kh % 2 == 1
        and _pair(stride) == _pair(dilation) == (1, 1)
        and _pair(padding) == (kh // 2, kh // 2)
    ):
        return depthwise(input, weight, bias)
    return F.conv2d(input, weight, bias, stride, padding, dilation, groups)


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else tuple(value) if not isinstance(value, str) else value


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.conv2d(x, weight, bias, padding=k // 2, groups=C) with a fast backward pass.

    Args:
        x: (B, C, H, W).
        weight: (C, 1, k, k), k odd.
        bias: (C,).

    Returns:
        (B, C, H, W).
    """
    return _Depthwise.apply(x, weight, bias)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2, groups=len(weight))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        k, (b, c, h, w) = weight.shape[-1], x.shape
        need_x, need_weight, need_bias = ctx.needs_input_grad
        # correlation with the flipped kernel
        grad_x = F.conv2d(grad, weight.flip(2, 3), padding=k // 2, groups=c) if need_x else None  # (B, C, H, W)
        grad_weight = None
        if need_weight:  # tap (i, j): sum over positions of x moved by (i, j) - k//2, times grad
            taps = F.conv2d(x.reshape(1, b * c, h, w), grad.reshape(b * c, 1, h, w), padding=k // 2, groups=b * c)
            grad_weight = torch.empty_like(weight)  # in the weight's memory layout, which DistributedDataParallel needs
            grad_weight.copy_(taps.reshape(b, c, k, k).sum(dim=0)[:, None])  # (C, 1, k, k)
        return grad_x, grad_weight, grad.sum(dim=(0, 2, 3)) if need_bias else None
