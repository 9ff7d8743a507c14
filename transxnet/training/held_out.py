"""Which training images a recipe holds out: the same for the run's log and for `evaluate --held-out-fraction`.

Settings (input sizes, recipes) are chosen on these images; the validation images are used for reports only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..errors import OutOfRange
from .samples import Listing, Sample


def split(labels: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Split images into training and held-out images: of each class every n-th, n = round(1 / fraction), is held out.

    Args:
        labels: (N,) class of each image, in the order of `sort_samples`.
        fraction: Held-out fraction, 0 to 0.5.

    Returns:
        Indices of the training images and of the held-out images, ascending. The first image of a class is held out.

    Raises:
        OutOfRange: A fraction outside 0 to 0.5.
    """
    if not 0 <= fraction <= 0.5:
        raise OutOfRange(f"The held-out fraction is {fraction:g}.", remedy="Choose 0 to 0.5, such as 0.02.")
    if not fraction:
        return np.arange(len(labels)), np.arange(0)
    interval = round(1 / fraction)
    number = np.empty(len(labels), int)  # of each image within its class
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        number[of_class] = np.arange(len(of_class))
    return np.flatnonzero(number % interval), np.flatnonzero(number % interval == 0)


def first_half(labels: np.ndarray) -> np.ndarray:
    """Indices of the first half of each class, for choosing settings; the other half is for reports only.

    Args:
        labels: (N,) class indices, of images in the order of `sort_samples`. A class of odd size 2n + 1 gives n
            images where its index is even, n + 1 where it is odd.

    Returns:
        Indices into the images, ascending: 2,500 of Tiny-ImageNet's 5,000 validation images.
    """
    chosen = []
    for label in np.unique(labels):
        of_class = np.flatnonzero(labels == label)
        chosen.append(of_class[: (len(of_class) + int(label) % 2) // 2])
    return np.sort(np.concatenate(chosen)) if chosen else np.arange(0)


def sort_samples(samples: Iterable[Sample]) -> list[Sample]:
    """Sort by class and name, so that packing and order of folders and zips do not matter."""
    return sorted(samples, key=lambda sample: (sample.label, sample.name))


def select_held_out(listing: Listing, fraction: float) -> Listing:
    """The images of a listing that a recipe with this held-out fraction is not trained on."""
    samples = sort_samples(listing.samples)
    _, held_out = split(np.array([sample.label for sample in samples]), fraction)
    return replace(listing, samples=tuple(samples[i] for i in held_out))
