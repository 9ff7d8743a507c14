"""Which training images a recipe holds out: the same ones for the run's log and for `evaluate --held-out`.

What is chosen by looking (sizes, recipes) is chosen on these; the validation images are for the report alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import OutOfRange
from .samples import Listing, Sample


def split(labels: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training, and those held out: every n-th image of each class from its first, n = 1/share rounded.

    labels: (N,), of images in the order of `ordered`. Raises OutOfRange for a share that is not in 0 to 0.5.
    """
    if not 0 <= share <= 0.5:
        raise OutOfRange(f"A share of {share:g} cannot be held out.", remedy="Choose 0 to 0.5, such as 0.02.")
    if not share:
        return np.arange(len(labels)), np.arange(0)
    every = round(1 / share)
    place = np.empty(len(labels), int)  # of each image within its class
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        place[mine] = np.arange(len(mine))
    return np.flatnonzero(place % every), np.flatnonzero(place % every == 0)


def first_half(labels: np.ndarray) -> np.ndarray:
    """Indices of the first half of each class, for choices made by looking; the other half is for reports alone.

    Args:
        labels: (N,) class indices, of images in the order of `ordered`. A class of odd size 2n + 1 gives n images where
            its index is even, n + 1 where it is odd.

    Returns:
        Indices into the images, ascending: 2,500 of Tiny-ImageNet's 5,000 validation images.
    """
    chosen = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        chosen.append(of_class[: (len(of_class) + int(label) % 2) // 2])
    return np.sort(np.concatenate(chosen)) if chosen else np.arange(0)


def ordered(samples: list[Sample] | tuple[Sample, ...]) -> list[Sample]:
    """By class and name: however folders and zips divide them, and in whatever order they are given."""
    return sorted(samples, key=lambda sample: (sample.wnid, sample.name))


def only_held_out(listing: Listing, share: float) -> Listing:
    """What a recipe with that share never trains on."""
    samples = ordered(listing.samples)
    _, chosen = split(np.array([sample.wnid for sample in samples]), share)
    return replace(listing, samples=tuple(samples[i] for i in chosen))
