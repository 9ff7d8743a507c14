"""Labelled images in folders and zips: where they are and what shows their class, before one of them is read.

A class is told by a WNID (…/n02165456/x.webp, n02165456_x.jpg, x_n02165456.JPEG), by ImageNet-V2's numbered folders,
or by a file of labels: see labeling.py. What nothing labels is counted, so that no image is lost without a word.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..errors import ImageError, ImageUnreadable, UnknownName, quote
from ..images import SourceImage, decode
from .labeling import Labeling, by_the_names_of

SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))


@dataclass(frozen=True)
class Sample:
    """One labeled image, not yet read."""

    name: str  # inside its folder or zip
    wnid: str
    size: int  # bytes
    source: Callable[[], bytes]

    def read(self) -> bytes:
        """The file's bytes. ImageUnreadable where the disk or the zip does not deliver them."""
        try:
            return self.source()
        except Exception as error:  # a zip can fail in many ways: checksum, compression, password, a short file
            raise ImageUnreadable(
                f"{self.name} cannot be read.", remedy="Get it again from where it came from.", detail=repr(error)
            ) from error

    def decode(self, data: bytes) -> SourceImage:
        """What `read` gave, as an image. ImageError, whose detail says which of many files it was."""
        try:
            return decode(data, name=self.name)
        except ImageError as error:
            error.detail = f"{self.name}: {error.detail}"
            raise


@dataclass(frozen=True)
class Listing:
    """The labeled images of some folders and zips, in a fixed order."""

    samples: tuple[Sample, ...]
    unlabeled: int  # images that lie there too, and whose class nothing tells
    labels: tuple[str, ...]  # what told the classes, in words; more than one where the paths differ

    def of(self, wnids: Sequence[str]) -> list[Sample]:
        """The samples of these classes. UnknownName where there is none."""
        wanted = frozenset(wnids)
        known = [sample for sample in self.samples if sample.wnid in wanted]
        if not known:
            raise UnknownName(
                f"None of the {len(self.samples)} images is of one of the model's {len(wnids)} classes.",
                remedy="`python -m transxnet list --classes NAME` lists a model's classes with their WNIDs.",
                detail=", ".join(sorted({sample.wnid for sample in self.samples})[:10]),
            )
        return known


def list_images(paths: Sequence[str | Path], labeling: Labeling | None = None) -> Listing:
    """Every labeled image under folders and zips.

    labeling: what tells the classes; None takes each path's own names (see labeling.by_the_names_of).
    Raises UnknownName where a path is absent, has no labeled image, or has names that can be read in two ways;
    ImageUnreadable for a zip that is none.
    """
    parts = [_in_one(Path(path), labeling) for path in paths]
    return Listing(
        tuple(sample for part in parts for sample in part.samples),
        sum(part.unlabeled for part in parts),
        tuple(dict.fromkeys(words for part in parts for words in part.labels)),
    )


def find_samples(paths: Sequence[str | Path]) -> list[Sample]:
    """Every image that its own names label, under folders and zips. Raises as `list_images`."""
    return list(list_images(paths).samples)


def known_samples(paths: Sequence[str | Path], wnids: Sequence[str]) -> tuple[list[Sample], int]:
    """(the samples of these classes, how many others there are). UnknownName where none is of these classes."""
    listing = list_images(paths)
    known = listing.of(wnids)
    return known, len(listing.samples) - len(known)


def _in_one(path: Path, labeling: Labeling | None) -> Listing:
    """The labeled images of one folder or zip. One that has none would otherwise be missing without a word."""
    images = [entry for entry in _files(path) if _is_image(entry[0])]
    names = [name for name, _, _ in images]
    labeling = labeling or by_the_names_of(names, path.name)
    samples = [Sample(name, wnid, size, source) for name, size, source in images if (wnid := labeling.wnid(name))]
    if not samples:
        raise UnknownName(
            f"{path.name} holds no labeled images.",
            remedy="Give folders or zips of WNID folders (n02165456/…), or of files named WNID_anything.jpg; or say by "
            "--labels FILE which file is of which class.",
            detail=str(path),
        )
    return Listing(tuple(samples), len(images) - len(samples), (labeling.words,))


def _files(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:  # -> (name inside, bytes, how to read it)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _zip(path)
    raise UnknownName(
        f"There is no folder or zip {quote(path.name)}.", remedy="Check the path for a typing error.", detail=str(path)
    )


def _folder(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    for name in sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()):
        yield name, (path / name).stat().st_size, (path / name).read_bytes


def _zip(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ImageUnreadable(
            f"{path.name} is damaged, or no zip.", remedy="Give folders or zips of images.", detail=str(path)
        ) from error
    for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
        yield entry.filename, entry.file_size, partial(archive.read, entry)  # safe from several threads


def _is_image(name: str) -> bool:
    """By its suffix; not the `._x.jpg` that a Mac lays beside x.jpg."""
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("._")
