"""Labelled pictures from folders or zips: WNID folders (…/n02165456/x.webp) or flat WNID_name files."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ..errors import PictureUnreadable, UnknownName

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))
_WNID = re.compile(r"(n\d{8})(?:_|$)")


@dataclass(frozen=True)
class Sample:
    """One labelled picture, not yet read."""

    name: str  # inside its folder or zip
    wnid: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class PictureSet:
    """Pictures decoded to one size. images: (N, side, side, 3) uint8; labels: (N,) int64 into `wnids`."""

    images: np.ndarray
    labels: np.ndarray
    wnids: tuple[str, ...]
    digest: str  # SHA-256 over the pictures' own SHA-256s, sorted


def find_samples(paths: Sequence[str | Path]) -> list[Sample]:
    """Every labelled picture under folders and zips, in a fixed order. UnknownName if there is none."""
    samples = [s for path in paths for s in _samples(Path(path))]
    if not samples:
        raise UnknownName(
            "No labelled pictures were found.",
            remedy="Give folders or zips of WNID folders (n02165456/…), or flat files named WNID_anything.jpg.",
            detail=", ".join(map(str, paths)),
        )
    return samples


def load_pictures(paths: Sequence[str | Path], wnids: Sequence[str], side: int = 64) -> PictureSet:
    """Decode all pictures of the given classes to side x side (centre square, bicubic). For small pictures."""
    index = {wnid: i for i, wnid in enumerate(wnids)}
    samples = [s for s in find_samples(paths) if s.wnid in index]
    images = np.empty((len(samples), side, side, 3), np.uint8)

    def decode(i: int) -> bytes:
        data = samples[i].read()
        images[i] = _square(data, side, samples[i].name)
        return hashlib.sha256(data).digest()

    with ThreadPoolExecutor(4) as pool:
        digests = sorted(pool.map(decode, range(len(samples))))
    labels = np.array([index[s.wnid] for s in samples], np.int64)
    return PictureSet(images, labels, tuple(wnids), hashlib.sha256(b"".join(digests)).hexdigest())


def _samples(path: Path) -> Iterator[Sample]:
    if path.suffix == ".zip":
        archive = zipfile.ZipFile(path)
        names = sorted(archive.namelist())
        reader = archive.read  # ZipFile.read is safe from several threads
    else:
        names = sorted(str(PurePosixPath(p.relative_to(path))) for p in path.rglob("*") if p.is_file())
        reader = lambda name: (path / name).read_bytes()  # noqa: E731
    for name in names:
        pure = PurePosixPath(name)
        found = next((m for m in map(_WNID.match, (pure.name, *reversed(pure.parts[:-1]))) if m), None)
        if found and pure.suffix.lower() in SUFFIXES:
            yield Sample(name, found[1], lambda name=name: reader(name))


def _square(data: bytes, side: int, name: str) -> np.ndarray:  # -> (side, side, 3) uint8
    try:
        picture = Image.open(io.BytesIO(data)).convert("RGB")
    except OSError as error:
        raise PictureUnreadable(f"{name} cannot be read.", remedy="Remove or replace it.", detail=str(error)) from error
    if picture.size != (side, side):
        short = min(picture.size)
        left, top = (picture.width - short) // 2, (picture.height - short) // 2
        box = (left, top, left + short, top + short)
        picture = picture.resize((side, side), Image.Resampling.BICUBIC, box=box)
    return np.asarray(picture)
