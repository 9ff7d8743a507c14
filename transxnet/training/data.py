"""Labeled images decoded to one size and held in memory, with a digest of their bytes; samples.py lists them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..images import FILE_LIMITS, Limits, SourceImage
from .held_out import sort_samples
from .samples import Sample, list_images

THREADS = 4  # reading waits for the disk; images.py bounds how many images are decoded at a time


@dataclass(frozen=True)
class ImageSet:
    """Images decoded to one size.

    Attributes:
        images: (N, side, side, 3) uint8.
        labels: (N,) int64, indices into `wnids`.
        wnids: The classes.
        digest: See `combine_hashes`.
        skipped: (name, why) of the files that are not images.
    """

    images: np.ndarray
    labels: np.ndarray
    wnids: tuple[str, ...]
    digest: str
    skipped: tuple[tuple[str, str], ...] = ()


def load_images(
    paths: Sequence[str | Path], wnids: Sequence[str], side: int = 64, limits: Limits = FILE_LIMITS
) -> ImageSet:
    """Decode all images of the given classes to side x side pixels (center square, bicubic). For small images.

    Raises:
        UnknownName: No image of these classes, or a path that does not exist.
        ImageError: An image cannot be read.
    """
    listing = list_images(paths)
    samples = sort_samples(listing.of_classes(wnids))
    images = np.empty((len(samples), side, side, 3), np.uint8)

    def load(i: int) -> bytes:
        data = samples[i].read()
        images[i] = _center_square(samples[i].decode(data, limits), side)
        return _sha256(data)

    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(load, range(len(samples))))
    index = {wnid: i for i, wnid in enumerate(wnids)}
    labels = np.array([index[sample.wnid] for sample in samples], np.int64)
    return ImageSet(images, labels, tuple(wnids), combine_hashes(hashes), listing.skipped)


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
