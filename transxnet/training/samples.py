"""Lists of labeled images in folders and zips: names and classes, before any of them is read.

Classes come from WNIDs in names (…/n02165456/x.webp, n02165456_x.jpg, x_n02165456.JPEG), from ImageNet-V2's numbered
folders, or from a file of labels: see labeling.py. Unlabeled images are counted, and other
files listed, so that none is lost silently. Images are recognized as by image_files.py, in zips likewise.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..errors import ImageError, ImageUnreadable, UnknownName, quote
from ..image_files import ImageFiles, has_image_suffix, reason_of_content
from ..image_structure import HEAD
from ..images import FILE_LIMITS, Limits, SourceImage, decode
from .labeling import Labeling, labeling_from_names


@dataclass(frozen=True)
class Sample:
    """One labeled image.

    Attributes:
        name: Inside its folder or zip.
        wnid: Its class.
        size: Bytes of the file.
        read_bytes: Reads the file.
    """

    name: str
    wnid: str
    size: int
    read_bytes: Callable[[], bytes]

    def read(self) -> bytes:
        """The file's bytes. Raises ImageUnreadable."""
        try:
            return self.read_bytes()
        except Exception as error:  # a zip can fail in many ways: checksum, compression, password, a short file
            raise ImageUnreadable(
                f"{self.name} cannot be read.", remedy="Replace it with an intact copy.", detail=repr(error)
            ) from error

    def decode(self, data: bytes, limits: Limits = FILE_LIMITS) -> SourceImage:
        """Decode the bytes of `read`. Raises ImageError with this image's name in `detail`."""
        try:
            return decode(data, name=self.name, limits=limits)
        except ImageError as error:
            error.detail = f"{self.name}: {error.detail}"
            raise


@dataclass(frozen=True)
class Listing:
    """The labeled images of some folders and zips, in a fixed order.

    Attributes:
        samples: The images.
        unlabeled: Number of images without a label.
        labels: Descriptions of the labeling; several if the paths differ.
        skipped: (name, why) of the files that are not images.
    """

    samples: tuple[Sample, ...]
    unlabeled: int
    labels: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def of_classes(self, wnids: Sequence[str]) -> list[Sample]:
        """The samples of these classes. Raises UnknownName if there are none."""
        classes = frozenset(wnids)
        samples = [sample for sample in self.samples if sample.wnid in classes]
        if not samples:
            raise UnknownName(
                f"None of the {len(self.samples)} images belongs to one of the model's {len(wnids)} classes.",
                remedy="`python -m transxnet list --classes NAME` lists a model's classes with their WNIDs.",
                detail=", ".join(sorted({sample.wnid for sample in self.samples})[:10]),
            )
        return samples


def list_images(paths: Sequence[str | Path], labeling: Labeling | None = None) -> Listing:
    """List every labeled image in folders and zips.

    Args:
        paths: Folders and zips.
        labeling: Classes of the images; None for those in the names, see labeling.labeling_from_names.

    Raises:
        UnknownName: A path does not exist, has no labeled image, or has ambiguous names.
        ImageUnreadable: A zip is damaged.
    """
    listings = [_list_path(Path(path), labeling) for path in paths]
    return Listing(
        tuple(sample for listing in listings for sample in listing.samples),
        sum(listing.unlabeled for listing in listings),
        tuple(dict.fromkeys(labels for listing in listings for labels in listing.labels)),
        tuple(entry for listing in listings for entry in listing.skipped),
    )


def _list_path(path: Path, labeling: Labeling | None) -> Listing:
    """The labeled images of one folder or zip. Raises UnknownName if there are none, so that none is lost silently."""
    images, skipped = _files(path)
    names = [name for name, _, _ in images]
    labeling = labeling or labeling_from_names(names, path.name)
    samples = [Sample(name, wnid, size, read) for name, size, read in images if (wnid := labeling.wnid(name))]
    if not samples:
        raise UnknownName(
            f"{path.name} holds no labeled images.",
            remedy="Use folders or zips of WNID folders (n02165456/…), or of files named WNID_anything.jpg; or pass "
            "the classes of the files with --labels FILE.",
            detail=str(path),
        )
    return Listing(tuple(samples), len(images) - len(samples), (labeling.description,), tuple(skipped))


Image = tuple[str, int, Callable[[], bytes]]  # name inside, bytes, reader


def _files(path: Path) -> tuple[list[Image], list[tuple[str, str]]]:
    """The images of a folder or zip by name, and (name, why) of the other files."""
    if path.is_dir():
        return _folder_files(path)
    if path.is_file():
        return _zip_files(path)
    raise UnknownName(
        f"There is no folder or zip {quote(path.name)}.", remedy="Check the path for a typing error.", detail=str(path)
    )


def _folder_files(path: Path) -> tuple[list[Image], list[tuple[str, str]]]:
    files = ImageFiles()
    names = sorted(file.relative_to(path).as_posix() for file in files.search(path))
    return [(name, (path / name).stat().st_size, (path / name).read_bytes) for name in names], files.skipped


def _zip_files(path: Path) -> tuple[list[Image], list[tuple[str, str]]]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ImageUnreadable(
            f"{path.name} is damaged or not a zip.", remedy="Use folders or zips of images.", detail=str(path)
        ) from error
    images, skipped = [], []
    for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
        if entry.is_dir() or PurePosixPath(entry.filename).name.startswith("."):
            continue
        reason = _reason_to_skip(archive, entry)
        if reason:
            skipped.append((entry.filename, reason))
        else:
            images.append((entry.filename, entry.file_size, partial(archive.read, entry)))  # safe from several threads
    return images, skipped


def _reason_to_skip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """Why a file in a zip is not taken for an image; '' if it is."""
    if has_image_suffix(entry.filename):
        return ""
    try:
        with archive.open(entry) as file:
            return reason_of_content(entry.filename, file.read(HEAD))
    except Exception:  # a zip can fail in many ways: compression, password, a short file
        return "cannot be read"
