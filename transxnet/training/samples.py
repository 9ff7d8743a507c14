"""Lists of labeled images: names and classes, before any of them is read.

Images come from folders and zips, whose names and folders say the classes (labeling.py), and from tables.py: CSV files
and what Hugging Face's `Dataset.save_to_disk` writes. Unlabeled images are counted, and other files listed, so that
none is lost silently. Images are recognized as by image_files.py, in zips likewise.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..errors import ImageError, ImageUnreadable, UnknownName, quote
from ..image_files import ImageFiles, has_image_suffix, reason_of_content
from ..image_structure import HEAD
from ..images import FILE_LIMITS, Limits, SourceImage, decode
from ..labels import LabelSet
from .labeling import Labeling, labeling_by_folder, labeling_from_names, resolve_labels
from .tables import TABLE_SUFFIXES, Entry, is_saved_dataset, read_saved_dataset, read_table

MAX_LISTED = 10  # labels in a message


@dataclass(frozen=True)
class Sample:
    """One labeled image.

    Attributes:
        name: Inside its folder or zip.
        label: Its class: an entry of the model's `LabelSet.wnids`, or any text for a class that it does not have.
        size: Bytes of the file.
        read_bytes: Reads the file.
    """

    name: str
    label: str
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

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that occur, sorted as text."""
        return tuple(sorted({sample.label for sample in self.samples}))

    def of_classes(self, labels: Iterable[str]) -> list[Sample]:
        """The samples with these labels. Raises UnknownName if there are none."""
        labels = frozenset(labels)
        samples = [sample for sample in self.samples if sample.label in labels]
        if not samples:
            raise UnknownName(
                f"None of the {len(self.samples)} images belongs to one of the model's {len(labels)} classes. The "
                f"images are labeled {listed_text(self.classes)}.",
                remedy="Rename the class folders (`python -m transxnet list --classes NAME` lists a model's classes), "
                "pass the classes of the files with --labels FILE, or train a model for these classes: `train --recipe "
                "finetune`.",
            )
        return samples


def listed_text(labels: Sequence[str]) -> str:
    """Labels in a sentence: the first MAX_LISTED."""
    return ", ".join(labels[:MAX_LISTED]) + (
        f" and {len(labels) - MAX_LISTED} more" if len(labels) > MAX_LISTED else ""
    )


def list_images(
    paths: Sequence[str | Path], classes: LabelSet | None = None, labeling: Labeling | None = None
) -> Listing:
    """List every labeled image in folders, zips, CSV files and saved datasets.

    Args:
        paths: See above.
        classes: Of the model; None for labels as the data have them, those of class folders whatever the files in them
            are called.
        labeling: Classes of the images in folders and zips; None for those in the names, see labeling.py.

    Raises:
        UnknownName: A path does not exist, has no labeled image, or has ambiguous names.
        ImageUnreadable: A zip is damaged.
        SourceFailed: A table or a dataset cannot be read.
    """
    listings = [_list_path(Path(path), classes, labeling) for path in paths]
    return Listing(
        tuple(sample for listing in listings for sample in listing.samples),
        sum(listing.unlabeled for listing in listings),
        tuple(dict.fromkeys(labels for listing in listings for labels in listing.labels)),
        tuple(entry for listing in listings for entry in listing.skipped),
    )


def _list_path(path: Path, classes: LabelSet | None, labeling: Labeling | None) -> Listing:
    """The labeled images of one path. Raises UnknownName if there are none, so that none is lost silently."""
    if is_saved_dataset(path):
        return _from_entries(path, read_saved_dataset(path), classes)
    if path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
        return _from_entries(path, read_table(path), classes)
    images, skipped = _files(path)
    names = [image.name for image in images]
    if labeling is None:
        labeling = labeling_by_folder(names) if classes is None else labeling_from_names(names, path.name, classes)
    labels = {name: labeling.label(name) for name in names}
    samples = [Sample(image.name, label, image.size, image.read) for image in images if (label := labels[image.name])]
    if not samples:
        raise UnknownName(
            f"{path.name} holds no labeled images.",
            remedy="Use folders or zips of class folders (cat/1.jpg, n02165456/1.jpg), or of files named "
            "WNID_anything.jpg; a CSV of paths and labels; or pass the classes of the files with --labels FILE.",
            detail=str(path),
        )
    return Listing(tuple(samples), len(images) - len(samples), (labeling.description,), tuple(skipped))


def _from_entries(path: Path, entries: Sequence[Entry], classes: LabelSet | None) -> Listing:
    """The images of a table, which has a label for each; empty labels are none."""
    labels = {entry.name: entry.label for entry in entries if entry.label}
    meaning, labels = resolve_labels(labels, path.name, classes)
    samples = [
        Sample(entry.name, labels[entry.name], entry.size, entry.read) for entry in entries if entry.name in labels
    ]
    if not samples:
        raise UnknownName(f"{path.name} holds no labeled images.", remedy="Give images a label.", detail=str(path))
    return Listing(tuple(samples), len(entries) - len(samples), (f"{path.name}: {meaning}",))


def _files(path: Path) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The images of a folder or zip by name, and (name, why) of the other files."""
    if path.is_dir():
        return _folder_files(path)
    if path.is_file():
        return _zip_files(path)
    raise UnknownName(
        f"There is no file or folder {quote(path.name)}.", remedy="Check the path for a typing error.", detail=str(path)
    )


def _folder_files(path: Path) -> tuple[list[Entry], list[tuple[str, str]]]:
    files = ImageFiles()
    names = sorted(file.relative_to(path).as_posix() for file in files.search(path))
    return [Entry(name, (path / name).stat().st_size, (path / name).read_bytes) for name in names], files.skipped


def _zip_files(path: Path) -> tuple[list[Entry], list[tuple[str, str]]]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ImageUnreadable(
            f"{path.name} is damaged or not a zip.",
            remedy="Use folders, zips or CSV files of images.",
            detail=str(path),
        ) from error
    images, skipped = [], []
    for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
        if entry.is_dir() or PurePosixPath(entry.filename).name.startswith("."):
            continue
        reason = _reason_to_skip(archive, entry)
        if reason:
            skipped.append((entry.filename, reason))
        else:
            # safe from several threads
            images.append(Entry(entry.filename, entry.file_size, partial(archive.read, entry)))
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
