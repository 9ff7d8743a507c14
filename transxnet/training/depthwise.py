"""Depthwise convolutions whose backward pass is fast on a CPU; for training only, the model does not know of it.

The gradient of a depthwise convolution's kernel is itself a depthwise convolution: of the input, with the gradient
of the output as its kernel. oneDNN runs that as fast as the forward pass, and its own weight gradient 5 to 40 times
slower (torch 2.15, 7 x 7 kernels at the sizes of pico's stages). Same sums, in another order.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class FastDepthwise(TorchFunctionMode):
    """While it is entered, `F.conv2d` of this shape uses `depthwise`: CPU, one channel a group, stride 1, "same"."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if function is F.conv2d or function is torch.conv2d:
            call = _Call(*args, **kwargs)
            if call.fits():
                return depthwise(call.input, call.weight, call.bias)
        return function(*args, **kwargs)


class _Call:
    """The arguments of a call of F.conv2d, by name."""

    def __init__(
        self, input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1,
    ):  # fmt: skip
        self.input, self.weight, self.bias, self.groups = input, weight, bias, groups
        self.stride, self.padding, self.dilation = _pair(stride), _pair(padding), _pair(dilation)

    def fits(self) -> bool:
        channels, one, kh, kw = self.weight.shape
        return (
            self.input.device.type == "cpu"
            and not torch.is_autocast_enabled("cpu")
            and self.input.dim() == 4
            and self.groups == channels == self.input.shape[1]
            and one == 1
            and kh == kw > 1
            and kh % 2 == 1
            and self.stride == self.dilation == (1, 1)
            and self.padding == (kh // 2, kh // 2)
        )


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else tuple(value) if not isinstance(value, str) else value


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.conv2d(x, weight, bias, padding=k // 2, groups=C), k odd: (B, C, H, W), (C, 1, k, k), (C,) -> (B, C, H, W)."""
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
            grad_weight = torch.empty_like(weight)  # in the weight's own layout, as DistributedDataParallel likes it
            grad_weight.copy_(taps.reshape(b, c, k, k).sum(dim=0)[:, None])  # (C, 1, k, k)
        return grad_x, grad_weight, grad.sum(dim=(0, 2, 3)) if need_bias else None
