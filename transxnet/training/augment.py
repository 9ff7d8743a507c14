"""Random crops, flips, brightness and contrast for a whole batch at once, on whichever device it is.

One affine resampling makes crop, flip and resize together; the border is reflected.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ..images import IMAGENET_MEAN, IMAGENET_STD
from .recipes import Recipe


def augment(images: Tensor, side: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """(B, h, w, 3) uint8 -> (B, 3, side, side) float32, normalised. All chance comes from `random`, a CPU generator."""
    x = images.permute(0, 3, 1, 2).float() / 255  # (B, 3, h, w)
    x = _crop(x, side, recipe, random)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)  # before the brightness changes: contrast is about this grey
    x = x * _factors(len(x), recipe.brightness, random).to(x.device)
    x = mean + (x - mean) * _factors(len(x), recipe.brightness, random).to(x.device)
    return normalise(x.clamp(0, 1))


def normalise(x: Tensor) -> Tensor:
    """(B, 3, H, W) in 0..1 -> the same by ImageNet's mean and standard deviation."""
    mean, std = (x.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (x - mean) / std


def _crop(x: Tensor, side: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """(B, 3, h, w) -> (B, 3, side, side): a random part of each picture, every second one mirrored."""
    b = len(x)
    area = _uniform(b, *recipe.crop_area, random)
    ratio = torch.exp(_uniform(b, -1, 1, random) * math.log(recipe.crop_aspect)).sqrt()
    width, height = (area.sqrt() * ratio).clamp(max=1), (area.sqrt() / ratio).clamp(max=1)  # shares of the sides
    x0, y0 = (_uniform(b, -1, 1, random) * (1 - size) for size in (width, height))  # the crop's centre
    flip = 1 - 2 * torch.randint(0, 2, (b,), generator=random)  # 1 or -1
    theta = torch.zeros(b, 2, 3)  # output -> input, in coordinates that run from -1 to 1
    theta[:, 0, 0], theta[:, 0, 2], theta[:, 1, 1], theta[:, 1, 2] = width * flip, x0, height, y0
    grid = F.affine_grid(theta.to(x.device), [b, 3, side, side], align_corners=False)
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _factors(n: int, spread: float, random: torch.Generator) -> Tensor:  # -> (n, 1, 1, 1) in 1 +- spread
    return 1 + spread * (2 * torch.rand(n, 1, 1, 1, generator=random) - 1)


def _uniform(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=random)
