"""Augmentation of a training batch, all images at once, on any device.

One affine resampling crops, flips and resizes, with reflected borders; then brightness, contrast, blur, and timm's
random erasing. timm's RandAugment works on single images before that (batches.py), its Mixup and CutMix on the batch
after it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
import torch.nn.functional as F
from timm.data.random_erasing import RandomErasing
from torch import Tensor

from ..images import IMAGENET_MEAN, IMAGENET_STD
from .recipes import Recipe

BLUR_RADIUS = 3  # of the kernel, in pixels: two sigmas of the strongest blur
BLUR_SIGMA = (0.1, 1.5)


def augment(
    images: Tensor, size: int, recipe: Recipe, generator: torch.Generator, mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
) -> Tensor:  # fmt: skip
    """Augment and normalize a batch.

    Args:
        images: (B, h, w, 3) uint8.
        size: Side of the output in pixels.
        recipe: Strengths and probabilities.
        generator: CPU generator of all random numbers, except those of random erasing: timm uses Python's `random`.
        mean: Of the normalization.
        std: Likewise.

    Returns:
        (B, 3, size, size) float32, normalized.
    """
    x = images.permute(0, 3, 1, 2).float() / 255  # (B, 3, h, w)
    x = _random_crop(x, size, recipe, generator)
    gray = x.mean(dim=(1, 2, 3), keepdim=True)  # before brightness changes: contrast is relative to it
    x = x * _random_factors(len(x), recipe.brightness, generator).to(x.device)
    x = gray + (x - gray) * _random_factors(len(x), recipe.brightness, generator).to(x.device)
    if recipe.blur:
        x = _random_blur(x, recipe.blur, generator)
    x = normalize(x.clamp(0, 1), mean, std)
    return _random_erasing(recipe.erasing, x.device.type)(x) if recipe.erasing else x


def normalize(x: Tensor, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD) -> Tensor:
    """Normalize (B, 3, H, W) in 0 to 1 with a mean and standard deviation of each color."""
    center, scale = (x.new_tensor(values)[:, None, None] for values in (mean, std))
    return (x - center) / scale


def _random_crop(x: Tensor, size: int, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """(B, 3, h, w) -> (B, 3, size, size): a random crop of each image, flipped with probability 0.5."""
    b = len(x)
    area = _uniform(b, *recipe.crop_area, generator)
    ratio = torch.exp(_uniform(b, -1, 1, generator) * math.log(recipe.crop_aspect)).sqrt()
    width, height = (area.sqrt() * ratio).clamp(max=1), (area.sqrt() / ratio).clamp(max=1)  # fractions of the sides
    x0, y0 = (_uniform(b, -1, 1, generator) * (1 - side) for side in (width, height))  # the crop's center
    flip = 1 - 2 * torch.randint(0, 2, (b,), generator=generator)  # 1 or -1
    theta = torch.zeros(b, 2, 3)  # output -> input, in coordinates from -1 to 1
    theta[:, 0, 0], theta[:, 0, 2], theta[:, 1, 1], theta[:, 1, 2] = width * flip, x0, height, y0
    grid = F.affine_grid(theta.to(x.device), [b, 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _random_blur(x: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(B, 3, H, W) -> the same shape: each image with this probability blurred by a Gaussian of random width."""
    blurred = torch.rand(len(x), generator=generator) < probability
    sigma = _uniform(len(x), *BLUR_SIGMA, generator)
    taps = torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1)
    kernel = torch.exp(-(taps**2) / (2 * sigma[:, None] ** 2))  # (B, K)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True))[blurred].to(x.device)
    n, (channels, height, width) = len(kernel), x.shape[1:]
    if not n:
        return x
    padded = F.pad(x[blurred.to(x.device)], (BLUR_RADIUS,) * 4, mode="reflect")
    y = padded.reshape(1, n * channels, *padded.shape[2:])
    kernel = kernel.repeat_interleave(channels, dim=0)[:, None]  # (n*3, 1, K): an image's kernel for each channel
    y = F.conv2d(F.conv2d(y, kernel[..., None], groups=n * channels), kernel[:, :, None], groups=n * channels)
    return x.index_put((blurred.to(x.device),), y.reshape(n, channels, height, width))


@lru_cache
def _random_erasing(probability: float, device: str) -> RandomErasing:
    """timm's random erasing: a rectangle of 2% to 33% of the image becomes noise."""
    return RandomErasing(probability, mode="pixel", device=device)


def _random_factors(n: int, spread: float, generator: torch.Generator) -> Tensor:  # -> (n, 1, 1, 1) in 1 +- spread
    return 1 + spread * (2 * torch.rand(n, 1, 1, 1, generator=generator) - 1)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)
