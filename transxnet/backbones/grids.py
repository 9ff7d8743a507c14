"""The positions of the units of a backbone's stages: stride and origin of every tensor, tracked in a forward pass.

Unit i of a grid is centered on the pixel origin + stride * i. The image has stride 1 and origin 0. A
convolution or pooling of kernel k, stride s, dilation d and p pixels of padding before the first gives

    stride' = s * stride        origin' = origin + stride * (d * (k - 1) / 2 - p)

(the receptive field arithmetic of Araujo et al., Distill 2019, doi 10.23915/distill.00021); padding alone moves the
origin back. Merging r x r neighbors without a convolution (Swin's, pixel_unshuffle) is detected by a grid that is r
times smaller: origin' = origin + stride * (r - 1) / 2. Slicing keeps the first of r units and the origin. Of two
tensors that are combined the larger one determines the grid, of equal ones the first: in a residual block the main
path. In a product it is the first factor: a query keeps its position, whatever it attends to. Linear layers and norms
change nothing.

Limitations: the center of a unit's theoretical receptive field, not the pixels that affect it most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_CONVOLUTIONS = (torch.ops.aten.convolution, torch.ops.aten._convolution)
_POOLINGS = (torch.ops.aten.max_pool2d_with_indices, torch.ops.aten.avg_pool2d)
_PADDINGS = (torch.ops.aten.constant_pad_nd, torch.ops.aten.reflection_pad2d, torch.ops.aten.replication_pad2d)
_PRODUCTS = (torch.ops.aten.mm, torch.ops.aten.bmm, torch.ops.aten.addmm, torch.ops.aten.baddbmm)


@dataclass(frozen=True)
class Grid:
    """Pixels of the model input between neighboring units, and the pixel of unit 0."""

    stride: float = 1
    origin: float = 0.0

    def after_convolution(self, kernel: int, stride: int, padding: int, dilation: int = 1) -> Grid:
        """The grid of the output of a convolution or pooling."""
        return Grid(self.stride * stride, self.origin + self.stride * (dilation * (kernel - 1) / 2 - padding))

    def of_rows(self, rows: int, side: int) -> Grid:
        """This grid with neighbors merged so that an image of this side has this number of rows."""
        r = round(side / self.stride / rows)
        return Grid(self.stride * r, self.origin + self.stride * (r - 1) / 2) if r > 1 else self


class GridTracker(TorchDispatchMode):
    """Marks every tensor created inside its `with` block, in this thread, with its grid: `grid_of(tensor)`.

    Args:
        image: (1, 3, S, S), the input of the forward pass, which must run without gradients.
    """

    def __init__(self, image: Tensor):
        super().__init__()
        self.side = image.shape[-2]
        _mark(image, Grid())

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        grid = self._after(func.overloadpacket, args)
        for tensor in _tensors((out,)) if grid is not None else ():
            _mark(tensor, grid)
        return out

    def _after(self, operator: object, args: tuple) -> Grid | None:
        marked = [tensor for tensor in _tensors(args) if grid_of(tensor) is not None]
        if not marked:
            return None
        if marked[0] is args[0] and args[0].ndim == 4:  # (B, C, H, W), or (B, H, W, C) for padding
            x = args[0]
            if operator in _CONVOLUTIONS and args[1].ndim == 4 and not args[6]:
                grid = grid_of(x).of_rows(x.shape[-2], self.side)
                return grid.after_convolution(args[1].shape[-2], args[3][0], args[4][0], args[5][0])
            if operator in _POOLINGS:
                kernel, stride, padding = (_first(args, i) for i in (1, 2, 3))
                return (
                    grid_of(x).of_rows(x.shape[-2], self.side).after_convolution(kernel, stride or kernel, padding or 0)
                )
            if operator in _PADDINGS and len(args[1]) >= 4:
                # pairs from the last dimension on: [2] is the first of a side
                return grid_of(x).after_convolution(1, 1, args[1][2])
            if operator is torch.ops.aten.slice and _takes_every_other_row(x, *args[1:]):
                return grid_of(x).after_convolution(1, args[4], -(args[2] or 0))
        return grid_of(marked[0] if _is_product(operator) else max(marked, key=Tensor.numel))


def _is_product(operator: torch._ops.OpOverloadPacket) -> bool:
    return operator in _PRODUCTS or "scaled_dot_product" in operator.__name__


def _takes_every_other_row(x: Tensor, dim: int = 0, start: int = 0, end: int = 0, step: int = 1) -> bool:
    """Whether a slice takes every step-th row of a square map (B, h, w, C) or (B, C, h, w); its columns come next."""
    return step > 1 and dim in (1, 2) and x.shape[dim] == x.shape[dim + 1]


def grid_of(tensor: Tensor) -> Grid | None:
    """The grid of a tensor, None if it does not depend on the image."""
    return getattr(tensor, "_grid", None)


def _mark(tensor: Tensor, grid: Grid) -> None:
    tensor._grid = grid


def _tensors(values: Iterable[object]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _first(args: tuple, i: int) -> int:  # of an operator's list of sides; 0 if it was omitted
    return args[i][0] if len(args) > i and args[i] else 0
