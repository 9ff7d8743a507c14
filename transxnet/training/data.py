"""Labelled images decoded to one size and held in memory, with a digest of their bytes; samples.py finds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..images import SourceImage
from .held_out import ordered
from .samples import Sample, known_samples

THREADS = 4  # reading waits for the disk; how many images are decoded at a time, images.py decides


@dataclass(frozen=True)
class ImageSet:
    """Images decoded to one size. images: (N, side, side, 3) uint8; labels: (N,) int64 into `wnids`."""

    images: np.ndarray
    labels: np.ndarray
    wnids: tuple[str, ...]
    digest: str  # see `digest`


def load_images(paths: Sequence[str | Path], wnids: Sequence[str], side: int = 64) -> ImageSet:
    """Decode all images of the given classes to side x side (center square, bicubic). For small images."""
    samples = ordered(known_samples(paths, wnids)[0])
    images = np.empty((len(samples), side, side, 3), np.uint8)

    def load(i: int) -> bytes:
        data = samples[i].read()
        images[i] = _square(samples[i].decode(data), side)
        return _sha256(data)

    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(load, range(len(samples))))
    index = {wnid: i for i, wnid in enumerate(wnids)}
    labels = np.array([index[sample.wnid] for sample in samples], np.int64)
    return ImageSet(images, labels, tuple(wnids), combined(hashes))


def digest(samples: Sequence[Sample]) -> str:
    """SHA-256 over the images' own SHA-256s, sorted: the same for the same files in any order and packing.

    It does not cover the labels.
    """
    return combined(image_hashes(samples))


def image_hashes(samples: Sequence[Sample]) -> list[bytes]:
    """Each image file's own SHA-256, 32 bytes, in the order given."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda sample: _sha256(sample.read()), samples))


def _square(image: SourceImage, side: int) -> np.ndarray:  # -> (side, side, 3) uint8
    (width, height), short = image.size, min(image.size)
    if (width, height) == (side, side):
        return image.rgb
    left, top = (width - short) // 2, (height - short) // 2
    box = (left, top, left + short, top + short)
    return np.asarray(Image.fromarray(image.rgb).resize((side, side), Image.Resampling.BICUBIC, box=box))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def combined(hashes: Iterable[bytes]) -> str:
    """`digest` of images whose own SHA-256s are known."""
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()
