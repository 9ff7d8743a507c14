"""What step n of a run is trained on: which images, at which size, with which chance.

All chance of step n comes from generators seeded with (recipe.seed, n), so a resumed run takes the same steps as
one that was never interrupted, however many processes prepare its images.
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
from .augment import augment
from .data import ImageSet
from .held_out import split
from .recipes import Recipe


class Batches(Dataset):
    """Item n is step n's raw images (b, side, side, 3) uint8 and labels (b,), RandAugment done.

    rank, size: this worker's number and how many there are; each takes its part of every batch. `train` and
    `held_out` are indices into the images; `per_epoch` steps show each training image once (what does not fill
    a batch waits for the next epoch).
    """

    def __init__(self, recipe: Recipe, data: ImageSet, classes: int, rank: int = 0, size: int = 1):
        self.recipe, self.data, self.rank, self.size = recipe, data, rank, size
        self.train, self.held_out = split(data.labels, recipe.held_out)
        _shares_out(recipe, min(recipe.batch, len(self.train)), size)
        self.per_epoch = max(1, len(self.train) // recipe.batch)
        self.steps = max(1, round(self.per_epoch * recipe.epochs))
        self._policy = _rand_augment(recipe.randaugment, data.images.shape[1]) if recipe.randaugment else None
        self._mix = _mixup(recipe, classes) if recipe.mixup or recipe.cutmix else None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        chosen = self.chosen(step)
        images = self.data.images[chosen]
        if self._policy is not None:
            seed_everything(self.recipe, step, self.rank)
            images = np.stack([np.asarray(self._policy(Image.fromarray(image))) for image in images])
        return torch.from_numpy(images), torch.from_numpy(self.data.labels[chosen])

    def chosen(self, step: int) -> np.ndarray:
        """Indices of this worker's images."""
        epoch, place = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.recipe.seed, epoch)).permutation(len(self.train))
        together = np.sort(order[place * self.recipe.batch : (place + 1) * self.recipe.batch])
        return self.train[together[self.rank :: self.size]]

    def side(self, step: int) -> int:
        """The view's side in pixels: drawn by the recipe's shares, or in their order where it is progressive."""
        sides, shares = zip(*self.recipe.sizes, strict=True)
        if self.recipe.progressive:
            ends = np.cumsum(shares) / sum(shares) * self.steps
            return sides[min(int(np.searchsorted(ends, step, side="right")), len(sides) - 1)]
        drawn = torch.multinomial(torch.tensor(shares), 1, generator=self._generator(step, rank=0))
        return sides[int(drawn)]

    def prepare(self, step: int, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Step n's raw images -> (b, 3, side, side), channels last, and labels: (b,), or (b, classes) if mixed.

        Seeds the global generators: timm's erasing and mixing, and drop path after them, draw from those.
        """
        seed_everything(self.recipe, step, self.rank)
        x = augment(images, self.side(step), self.recipe, self._generator(step, self.rank))
        if self._mix is not None:
            # timm mixes image i with image b - 1 - i, and they come sorted by class
            order = torch.randperm(len(x), generator=self._generator(step, self.rank)).to(x.device)
            x, labels = self._mix(x[order], labels[order])
        return x.contiguous(memory_format=torch.channels_last), labels

    def stream(self, start: int, stop: int, processes: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Items start to stop, prepared ahead by so many processes."""
        return iter(DataLoader(self, batch_size=None, sampler=range(start, stop), num_workers=processes))

    def _generator(self, step: int, rank: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed_of(self.recipe, step, rank))


def _shares_out(recipe: Recipe, batch: int, size: int) -> None:
    """Raises OutOfRange unless a batch divides evenly among the workers, and in pairs where images are mixed."""
    each, rest = divmod(batch, size)
    if rest or (each % 2 and (recipe.mixup or recipe.cutmix)):
        raise OutOfRange(
            f"A batch of {batch} cannot be shared by {size} processes.",
            remedy="Start so many that each gets the same number of images, an even one where they are mixed.",
        )


def seed_of(recipe: Recipe, step: int, rank: int = 0) -> int:
    place = (recipe.seed, step, rank) if rank else (recipe.seed, step)
    return int(np.random.SeedSequence(place).generate_state(1)[0])


def seed_everything(recipe: Recipe, step: int, rank: int = 0) -> None:
    """Seed Python's, NumPy's and torch's global generators for one step of one worker."""
    seed = seed_of(recipe, step, rank)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _rand_augment(code: str, side: int):
    gray = tuple(round(255 * value) for value in IMAGENET_MEAN)
    return rand_augment_transform(code, {"translate_const": round(0.45 * side), "img_mean": gray})


def _mixup(recipe: Recipe, classes: int) -> Mixup:
    return Mixup(recipe.mixup, recipe.cutmix, label_smoothing=recipe.label_smoothing, num_classes=classes)
