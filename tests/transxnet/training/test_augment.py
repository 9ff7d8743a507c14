"""Random crops, flips, brightness and contrast stay within the strengths of the recipe."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from transxnet.training.augment import _random_blur, augment, normalize
from transxnet.training.recipes import find_recipe

FULL = find_recipe("pico-first-light")
NONE = dataclasses.replace(FULL, crop_area=(1.0, 1.0), crop_aspect=1.0, brightness=0.0)
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int, side: int = 16) -> torch.Tensor:
    return torch.randint(0, 256, (n, side, side, 3), dtype=torch.uint8, generator=generator(9))


def denormalize(x: torch.Tensor) -> torch.Tensor:  # (B, 3, H, W) normalized -> (B, H, W, 3) in 0..255
    return (x * STD[:, None, None] + MEAN[:, None, None]).permute(0, 2, 3, 1) * 255


def ramp(n: int, axis: int) -> torch.Tensor:
    """Images whose brightness rises by 4 per pixel along an axis (1: down, 2: right)."""
    line = torch.arange(64, dtype=torch.uint8).mul(4)
    return (line[:, None] if axis == 1 else line[None, :]).expand(64, 64)[None, :, :, None].repeat(n, 1, 1, 3)


def slopes(x: torch.Tensor, axis: int) -> np.ndarray:  # (B, H, W, 3) -> (B,): rise per pixel at the center
    line = x[..., 0].mean(dim=3 - axis).numpy()  # (B, 64)
    return np.array([np.polyfit(np.arange(20, 44), row[20:44], 1)[0] for row in line])


def test_normalized_values():
    x = torch.tensor([0.0, 0.5, 1.0])[None, :, None, None]  # black red, half green, full blue
    expected = [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert normalize(x).flatten().tolist() == pytest.approx(expected, rel=1e-6)


def test_without_augmentation_images_are_only_flipped():
    x = images(64)
    out = denormalize(augment(x, 16, NONE, generator()))
    same = [(a - b).abs().max() < 0.01 for a, b in zip(out, x.float(), strict=True)]
    mirrored = [(a - b.flip(1)).abs().max() < 0.01 for a, b in zip(out, x.float(), strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True))
    assert 20 < sum(mirrored) < 44  # half of them at random


def test_other_size_shows_all_of_the_image():
    large = denormalize(augment(ramp(1, 1), 128, NONE, generator()))
    assert large.shape == (1, 128, 128, 3)
    assert slopes(large, 1) == pytest.approx([2.0], rel=0.02)  # 4 per pixel, at twice the size
    assert large[0, [0, -1], :, 0].mean(dim=1).tolist() == pytest.approx([0, 252], abs=2)


def test_quarter_crop_shows_half_of_each_side():
    quarter = dataclasses.replace(NONE, crop_area=(0.25, 0.25))
    for axis in (1, 2):
        rise = slopes(denormalize(augment(ramp(8, axis), 64, quarter, generator())), axis)
        assert np.abs(rise) == pytest.approx(np.full(8, 2.0), rel=0.02)  # 4 per pixel, at twice the size
        assert (rise > 0).all() if axis == 1 else (rise < 0).any()  # flipped horizontally, never vertically


def test_crops_vary_inside_the_image():
    quarter = dataclasses.replace(NONE, crop_area=(0.25, 0.25))
    centers = denormalize(augment(ramp(200, 1), 64, quarter, generator()))[:, 31:33].mean(dim=(1, 2, 3))
    low, high = 4 * 15.5, 4 * 47.5  # the crop's center is a quarter of 64 px from each end
    assert low - 1 < centers.min() < low + 8
    assert high - 8 < centers.max() < high + 1


def test_aspect_stays_within_the_recipes():
    stretched = dataclasses.replace(NONE, crop_area=(0.25, 0.25), crop_aspect=4 / 3)
    widths = slopes(denormalize(augment(ramp(200, 1), 64, stretched, generator())), 1) / 4  # of the height
    assert 0.5 * (3 / 4) ** 0.5 * 0.98 < widths.min() < 0.45
    assert 0.56 < widths.max() < 0.5 * (4 / 3) ** 0.5 * 1.02


def test_brightness_and_contrast_stay_within_the_recipes():
    gray = torch.full((500, 8, 8, 3), 128, dtype=torch.uint8)
    recipe = dataclasses.replace(NONE, brightness=0.25)
    levels = denormalize(augment(gray, 8, recipe, generator()))
    assert (levels.amax(dim=(1, 2, 3)) - levels.amin(dim=(1, 2, 3))).max() < 0.01  # uniform images stay uniform
    levels = levels.mean(dim=(1, 2, 3)) / 128
    # contrast is relative to the original gray: 1 + (+-0.25) (1 +- 0.25)
    assert 1 - 0.3125 <= levels.min() < 0.75
    assert 1.25 < levels.max() <= 1 + 0.3125
    assert levels.mean() == pytest.approx(1, abs=0.02)


def test_random_numbers_come_from_the_generator():
    torch.manual_seed(1)
    first = augment(images(4), 32, FULL, generator(5))
    torch.manual_seed(2)
    assert torch.equal(augment(images(4), 32, FULL, generator(5)), first)
    assert not torch.equal(augment(images(4), 32, FULL, generator(6)), first)


def test_blur_of_no_image_changes_nothing():
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(_random_blur(x, 0.0, torch.Generator().manual_seed(0)), x)
