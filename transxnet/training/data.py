"""Labelled pictures from folders or zips: WNID folders (…/n02165456/x.webp) or flat WNID_name files."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ..errors import PictureError, PictureUnreadable, UnknownName
from ..images import Picture, decode

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))
THREADS = 4  # reading waits for the disk; how many pictures are decoded at a time, images.py decides
_WNID = re.compile(r"(n\d{8})(?:_|$)")


@dataclass(frozen=True)
class Sample:
    """One labelled picture, not yet read."""

    name: str  # inside its folder or zip
    wnid: str
    source: Callable[[], bytes]

    def read(self) -> bytes:
        """The file's bytes. PictureUnreadable where the disk or the zip does not deliver them."""
        try:
            return self.source()
        except Exception as error:  # a zip can fail in many ways: checksum, compression, password, a short file
            raise PictureUnreadable(
                f"{self.name} cannot be read.", remedy="Get it again from where it came from.", detail=repr(error)
            ) from error

    def decode(self, data: bytes) -> Picture:
        """What `read` gave, as a picture. PictureError, whose detail says which of many files it was."""
        try:
            return decode(data, name=self.name)
        except PictureError as error:
            error.detail = f"{self.name}: {error.detail}"
            raise


@dataclass(frozen=True)
class PictureSet:
    """Pictures decoded to one size. images: (N, side, side, 3) uint8; labels: (N,) int64 into `wnids`."""

    images: np.ndarray
    labels: np.ndarray
    wnids: tuple[str, ...]
    digest: str  # see `digest`


def find_samples(paths: Sequence[str | Path]) -> list[Sample]:
    """Every labelled picture under folders and zips, in a fixed order. UnknownName where one of them has none."""
    return [sample for path in paths for sample in _in_one(Path(path))]


def known_samples(paths: Sequence[str | Path], wnids: Sequence[str]) -> tuple[list[Sample], int]:
    """(the samples of these classes, how many others there are). UnknownName where none is of these classes."""
    everything, wanted = find_samples(paths), frozenset(wnids)
    known = [sample for sample in everything if sample.wnid in wanted]
    if not known:
        raise UnknownName(
            f"None of the {len(everything)} pictures is of one of the model's {len(wnids)} classes.",
            remedy="`python -m transxnet list --classes NAME` lists a model's classes with their WNIDs.",
            detail=_joined(paths),
        )
    return known, len(everything) - len(known)


def load_pictures(paths: Sequence[str | Path], wnids: Sequence[str], side: int = 64) -> PictureSet:
    """Decode all pictures of the given classes to side x side (centre square, bicubic). For small pictures."""
    samples, _ = known_samples(paths, wnids)
    images = np.empty((len(samples), side, side, 3), np.uint8)

    def load(i: int) -> bytes:
        data = samples[i].read()
        images[i] = _square(samples[i].decode(data), side)
        return _sha256(data)

    with ThreadPoolExecutor(THREADS) as pool:
        hashes = list(pool.map(load, range(len(samples))))
    index = {wnid: i for i, wnid in enumerate(wnids)}
    labels = np.array([index[sample.wnid] for sample in samples], np.int64)
    return PictureSet(images, labels, tuple(wnids), _combined(hashes))


def digest(samples: Sequence[Sample]) -> str:
    """SHA-256 over the pictures' own SHA-256s, sorted: the same for the same files in any order and packing.

    It does not cover the labels.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        return _combined(pool.map(lambda sample: _sha256(sample.read()), samples))


def _in_one(path: Path) -> list[Sample]:
    """The labelled pictures of one folder or zip. One that has none would otherwise be missing without a word."""
    if path.is_dir():
        files = _folder(path)
    elif path.is_file():
        files = _zip(path)
    else:
        raise UnknownName(
            f"There is no folder or zip {path.name!r}.", remedy="Check the path for a typing error.", detail=str(path)
        )
    samples = [Sample(name, wnid, source) for name, source in files if (wnid := _wnid(name))]
    if not samples:
        raise UnknownName(
            f"{path.name} holds no labelled pictures.",
            remedy="Give folders or zips of WNID folders (n02165456/…), or of files named WNID_anything.jpg.",
            detail=str(path),
        )
    return samples


def _folder(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:  # -> (name inside, how to read it)
    for name in sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()):
        yield name, (path / name).read_bytes


def _zip(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:  # likewise
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise PictureUnreadable(
            f"{path.name} is damaged, or no zip.", remedy="Give folders or zips of pictures.", detail=str(path)
        ) from error
    for name in sorted(archive.namelist()):
        yield name, partial(archive.read, name)  # ZipFile.read is safe from several threads


def _wnid(name: str) -> str | None:
    """The class of a picture by its own name, else by its innermost folder that has one; None: not labelled."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in SUFFIXES:
        return None
    places = (path.name, *reversed(path.parts[:-1]))
    return next((found[1] for found in map(_WNID.match, places) if found), None)


def _square(picture: Picture, side: int) -> np.ndarray:  # -> (side, side, 3) uint8
    (width, height), short = picture.size, min(picture.size)
    if (width, height) == (side, side):
        return picture.rgb
    left, top = (width - short) // 2, (height - short) // 2
    box = (left, top, left + short, top + short)
    return np.asarray(Image.fromarray(picture.rgb).resize((side, side), Image.Resampling.BICUBIC, box=box))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _combined(hashes: Iterable[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(hashes))).hexdigest()


def _joined(paths: Sequence[str | Path]) -> str:
    return ", ".join(map(str, paths))
