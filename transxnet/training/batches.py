"""The training data of each step: which images, at which input size, with which random numbers.

All random numbers of step n come from generators seeded with (recipe.seed, n), so that a resumed run takes the same
steps as an uninterrupted one, with any number of data loading processes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from timm.data import Mixup
from timm.data.auto_augment import rand_augment_transform
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import OutOfRange
from ..images import IMAGENET_MEAN
from ..variants import VariantSpec
from .augment import augment
from .data import ImageSet
from .held_out import split
from .recipes import Recipe


class Batches(Dataset):
    """Item n: raw images (b, side, side, 3) uint8 and labels (b,) int64 of step n, after RandAugment.

    Args:
        recipe: Settings of the run.
        data: All images, also those that are held out.
        spec: Of the model: its classes, input size and normalization.
        rank: Number of this process; each takes its part of every batch.
        world_size: Number of processes.

    Attributes:
        train, held_out: Indices into the images, int64.
        steps_per_epoch: Steps in which every training image is shown once; the last incomplete batch is dropped.
        steps: Steps of the whole run.

    Raises:
        OutOfRange: A batch cannot be divided evenly among the processes.
    """

    def __init__(self, recipe: Recipe, data: ImageSet, spec: VariantSpec, rank: int = 0, world_size: int = 1):
        self.recipe, self.data, self.spec, self.rank, self.world_size = recipe, data, spec, rank, world_size
        self.train, self.held_out = split(data.labels, recipe.held_out)
        _check_divisible(recipe, min(recipe.batch, len(self.train)), world_size)
        self.steps_per_epoch = max(1, len(self.train) // recipe.batch)
        self.steps = max(1, round(self.steps_per_epoch * recipe.epochs))
        self._rand_augment = self._mixup = None
        if recipe.randaugment:  # uncovered pixels become ImageNet's mean color
            gray = tuple(round(255 * value) for value in IMAGENET_MEAN)
            options = {"translate_const": round(0.45 * data.images.shape[1]), "img_mean": gray}
            self._rand_augment = rand_augment_transform(recipe.randaugment, options)
        if recipe.mixup or recipe.cutmix:
            smoothing = recipe.label_smoothing
            self._mixup = Mixup(recipe.mixup, recipe.cutmix, label_smoothing=smoothing, num_classes=spec.num_classes)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        indices = self.indices(step)
        images = self.data.images[indices]
        if self._rand_augment is not None:
            seed_everything(self.recipe, step, self.rank)
            images = np.stack([np.asarray(self._rand_augment(Image.fromarray(image))) for image in images])
        return torch.from_numpy(images), torch.from_numpy(self.data.labels[indices])

    def indices(self, step: int) -> np.ndarray:
        """Indices (b,) of this process's images."""
        epoch, number = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.recipe.seed, epoch)).permutation(len(self.train))
        batch = np.sort(order[number * self.recipe.batch : (number + 1) * self.recipe.batch])
        return self.train[batch[self.rank :: self.world_size]]

    def input_size(self, step: int) -> int:
        """Side of the model input in pixels: drawn by the recipe's fractions, or in their order if progressive."""
        sizes, fractions = zip(
            *((side or self.spec.image_size, share) for side, share in self.recipe.sizes), strict=True
        )
        if self.recipe.progressive:
            ends = np.cumsum(fractions) / sum(fractions) * self.steps
            return sizes[min(int(np.searchsorted(ends, step, side="right")), len(sizes) - 1)]
        return sizes[int(torch.multinomial(torch.tensor(fractions), 1, generator=self._generator(step, rank=0)))]

    def prepare(self, step: int, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Augment and mix the raw images of a step.

        Seeds the global generators, which timm's erasing and mixing, and later drop path, draw from.

        Args:
            step: The step.
            images: (b, side, side, 3) uint8.
            labels: (b,) int64.

        Returns:
            (b, 3, input_size, input_size) float32, channels last; labels (b,), or (b, classes) if mixed.
        """
        seed_everything(self.recipe, step, self.rank)
        size, generator = self.input_size(step), self._generator(step, self.rank)
        x = augment(images, size, self.recipe, generator, self.spec.mean, self.spec.std)
        if self._mixup is not None:
            # timm mixes image i with image b - 1 - i, and batches are sorted by class
            order = torch.randperm(len(x), generator=self._generator(step, self.rank)).to(x.device)
            x, labels = self._mixup(x[order], labels[order])
        return x.contiguous(memory_format=torch.channels_last), labels

    def stream(self, start: int, stop: int, num_workers: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Items start to stop, loaded ahead by `num_workers` processes."""
        return iter(DataLoader(self, batch_size=None, sampler=range(start, stop), num_workers=num_workers))

    def _generator(self, step: int, rank: int) -> torch.Generator:
        return torch.Generator().manual_seed(step_seed(self.recipe, step, rank))


def _check_divisible(recipe: Recipe, batch: int, world_size: int) -> None:
    """Raises OutOfRange unless a batch divides evenly among the processes, and in pairs where images are mixed."""
    per_process, remainder = divmod(batch, world_size)
    if remainder or (per_process % 2 and (recipe.mixup or recipe.cutmix)):
        raise OutOfRange(
            f"A batch of {batch} images cannot be divided among {world_size} processes.",
            remedy="Use a number of processes that gives each the same number of images, an even one for Mixup.",
        )


def step_seed(recipe: Recipe, step: int, rank: int = 0) -> int:
    """Seed of one step of one process."""
    entropy = (recipe.seed, step, rank) if rank else (recipe.seed, step)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def seed_everything(recipe: Recipe, step: int, rank: int = 0) -> None:
    """Seed the global generators of Python, NumPy and torch for one step of one process."""
    seed = step_seed(recipe, step, rank)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
