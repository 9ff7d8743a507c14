"""What a training step does to its images, a whole batch at once, on whichever device it is.

One affine resampling makes crop, flip and resize together, the border reflected; then brightness, contrast, blur,
and timm's random erasing. timm's RandAugment works on single images before all that (batches.py), its Mixup and
CutMix on the finished batch.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from timm.data.random_erasing import RandomErasing
from torch import Tensor

from ..images import IMAGENET_MEAN, IMAGENET_STD
from .recipes import Recipe

BLUR_RADIUS = 3  # of the kernel, in pixels: two sigmas of the strongest blur
BLUR_SIGMA = (0.1, 1.5)


def augment(images: Tensor, side: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """(B, h, w, 3) uint8 -> (B, 3, side, side) float32, normalized.

    All chance comes from `random`, a CPU generator, but that of random erasing, which timm draws from Python's own.
    """
    x = images.permute(0, 3, 1, 2).float() / 255  # (B, 3, h, w)
    x = _crop(x, side, recipe, random)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)  # before the brightness changes: contrast is about this gray
    x = x * _factors(len(x), recipe.brightness, random).to(x.device)
    x = mean + (x - mean) * _factors(len(x), recipe.brightness, random).to(x.device)
    if recipe.blur:
        x = _blur(x, recipe.blur, random)
    x = normalize(x.clamp(0, 1))
    return _eraser(recipe.erasing, x.device.type)(x) if recipe.erasing else x


def normalize(x: Tensor) -> Tensor:
    """(B, 3, H, W) in 0..1 -> the same by ImageNet's mean and standard deviation."""
    mean, std = (x.new_tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (x - mean) / std


def _crop(x: Tensor, side: int, recipe: Recipe, random: torch.Generator) -> Tensor:
    """(B, 3, h, w) -> (B, 3, side, side): a random part of each image, every second one mirrored."""
    b = len(x)
    area = _uniform(b, *recipe.crop_area, random)
    ratio = torch.exp(_uniform(b, -1, 1, random) * math.log(recipe.crop_aspect)).sqrt()
    width, height = (area.sqrt() * ratio).clamp(max=1), (area.sqrt() / ratio).clamp(max=1)  # shares of the sides
    x0, y0 = (_uniform(b, -1, 1, random) * (1 - size) for size in (width, height))  # the crop's center
    flip = 1 - 2 * torch.randint(0, 2, (b,), generator=random)  # 1 or -1
    theta = torch.zeros(b, 2, 3)  # output -> input, in coordinates that run from -1 to 1
    theta[:, 0, 0], theta[:, 0, 2], theta[:, 1, 1], theta[:, 1, 2] = width * flip, x0, height, y0
    grid = F.affine_grid(theta.to(x.device), [b, 3, side, side], align_corners=False)
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _blur(x: Tensor, probability: float, random: torch.Generator) -> Tensor:
    """(B, 3, H, W) -> the same: some of the images blurred, each by a Gaussian of its own width."""
    chosen = torch.rand(len(x), generator=random) < probability
    sigma = _uniform(len(x), *BLUR_SIGMA, random)
    taps = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1)
    line = torch.exp(-(taps**2) / (2 * sigma[:, None] ** 2))  # (B, K)
    line = (line / line.sum(dim=1, keepdim=True))[chosen].to(x.device)
    n, (channels, height, width) = len(line), x.shape[1:]
    if not n:
        return x
    y = F.pad(x[chosen.to(x.device)], (BLUR_RADIUS,) * 4, mode="reflect").reshape(1, n * channels, *_padded(x))
    line = line.repeat_interleave(channels, dim=0)[:, None]  # (n*3, 1, K): an image's line for each of its channels
    y = F.conv2d(F.conv2d(y, line[..., None], groups=n * channels), line[:, :, None], groups=n * channels)
    return x.index_put((chosen.to(x.device),), y.reshape(n, channels, height, width))


def _padded(x: Tensor) -> tuple[int, int]:
    return x.shape[2] + 2 * BLUR_RADIUS, x.shape[3] + 2 * BLUR_RADIUS


@lru_cache
def _eraser(probability: float, device: str) -> RandomErasing:
    """timm's: a rectangle of 2 to 33 % of the image becomes noise. Numbers drawn from `random`'s global state."""
    return RandomErasing(probability, mode="pixel", device=device)


def _factors(n: int, spread: float, random: torch.Generator) -> Tensor:  # -> (n, 1, 1, 1) in 1 +- spread
    return 1 + spread * (2 * torch.rand(n, 1, 1, 1, generator=random) - 1)


def _uniform(n: int, low: float, high: float, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=random)
