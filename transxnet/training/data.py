"""Labeled images decoded to one size and held in memory, with a digest of their bytes; samples.py lists them."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..images import FILE_LIMITS, Limits, SourceImage
from ..labels import LabelSet
from .held_out import sort_samples
from .samples import Listing, Sample

MAX_IN_MEMORY = 2 * 2**30  # bytes
THREADS = 4  # reading waits for the disk; images.py bounds how many images are decoded at a time


@dataclass(frozen=True)
class ImageSet:
    """Images decoded to one size.

    Attributes:
        images: (N, side, side, 3) uint8.
        labels: (N,) int64, indices into `classes`.
        classes: Of the model.
        digest: See `combine_hashes`.
        skipped: (name, why) of the files that are not images.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: LabelSet
    digest: str
    skipped: tuple[tuple[str, str], ...] = ()


def load_images(listing: Listing, classes: LabelSet, side: int = 64, limits: Limits = FILE_LIMITS) -> ImageSet:
    """Decode all images of a model's classes to side x side pixels (center square, bicubic).

    They are held in memory, more than MAX_IN_MEMORY in an unnamed temporary file that is mapped into it.

    Raises:
        UnknownName: No image of these classes, or a path that does not exist.
        ImageError: An image cannot be read.
    """
    samples = sort_samples(listing.of_classes(classes.wnids))
    images = _empty((len(samples), side, side, 3))

    def load(i: int) -> bytes:
        data = samples[i].read()
        images[i] = _center_square(samples[i].decode(data, limits), side)
        return _sha256(data)

    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(load, range(len(samples))))
    index = {wnid: i for i, wnid in enumerate(classes.wnids)}
    labels = np.array([index[sample.label] for sample in samples], np.int64)
    return ImageSet(images, labels, classes, combine_hashes(hashes), listing.skipped)


def _empty(shape: tuple[int, ...]) -> np.ndarray:
    if math.prod(shape) <= MAX_IN_MEMORY:
        return np.empty(shape, np.uint8)
    return np.memmap(tempfile.TemporaryFile(), np.uint8, shape=shape)


def image_hashes(samples: Sequence[Sample]) -> list[bytes]:
    """SHA-256 of each image file, 32 bytes, in the order of the samples."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda sample: _sha256(sample.read()), samples))


def combine_hashes(hashes: Iterable[bytes]) -> str:
    """Digest of a set of images: SHA-256 over their sorted SHA-256s, independent of order, packing and labels."""
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


def _center_square(image: SourceImage, side: int) -> np.ndarray:  # -> (side, side, 3) uint8
    (width, height), short = image.size, min(image.size)
    if (width, height) == (side, side):
        return image.rgb
    left, top = (width - short) // 2, (height - short) // 2
    box = (left, top, left + short, top + short)
    return np.asarray(Image.fromarray(image.rgb).resize((side, side), Image.Resampling.BICUBIC, box=box))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
