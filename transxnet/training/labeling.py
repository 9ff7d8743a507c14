"""Classes of images, from their names and folders or from a file of labels; class_matching.py finds the model's class.

* WNIDs in names: n02165456/x.jpg, n02165456_x.jpg, ILSVRC2012_val_00000293_n01440764.JPEG. The innermost name wins.
* Class folders by any name, as torchvision's ImageFolder and timm read them: the outermost folder that is a class of
  the model. Where the model's classes have no WNIDs, they take precedence over WNIDs in file names.
* Numbered folders, as in ImageNet-V2 (https://github.com/modestyachts/ImageNetV2): 0 to 999, the classes of
  ImageNet-1K in the order of their WNIDs. They are recognized only if all thousand exist.
* A file of labels, for the flat ILSVRC2012_val_00000001.JPEG …: lines of a name and a WNID (Kaggle's
  LOC_val_solution.csv, Tiny-ImageNet's val_annotations.txt), of a name and a class name, of a name and a class number
  (Caffe's val.txt), or 50,000 lines of a WNID, line k for the image with number k.

Numbers could be counted from 1, or be those of the challenge: where that is possible they are refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..errors import UnknownName, quote
from ..labels import LabelSet
from .class_matching import (
    INDICES,
    check_folder_numbers,
    check_numbers,
    class_matcher,
    class_of_number,
    has_own_classes,
    is_number,
    normalized,
    numbering,
)

NUM_VALIDATION_IMAGES = 50_000  # of ILSVRC2012

_WNID = re.compile(r"(n\d{8})(?:_|$)")
_WNID_LAST = re.compile(r".*_(n\d{8})(?:\.\w+)?$")
_ILSVRC = re.compile(r"ILSVRC2012_val_(\d{8})")
_SUFFIX = r"\.(?:jpe?g|jpe|jfif|png|webp|bmp|dib|gif|avif|tiff?|hei[cf])"
_NAME_AND_WNID = re.compile(r'"?(?P<name>.+?)"?[\s,;]+"?(?P<label>n\d{8})\b.*')
_NAME_AND_NUMBER = re.compile(r'"?(?P<name>\S.*?)"?[\s,;]+"?(?P<label>\d{1,4})"?')
_NAME_AND_CLASS = re.compile(rf'"?(?P<name>.+?{_SUFFIX})"?[\s,;]+"?(?P<label>.*[^\s"])"?', re.IGNORECASE)
_REMEDY = (
    "Use LOC_val_solution.csv, val.txt or a file with a name and a WNID or class name per line; or make WNID folders "
    'of the official archives with torchvision.datasets.ImageNet(root, split="val").'
)


@dataclass(frozen=True)
class Labeling:
    """How images are labeled.

    Attributes:
        description: For reports.
        label: Function from an image's name inside its folder or zip to its class: an entry of the model's
            `LabelSet.wnids`, or any text for a class that the model does not have. None for an unlabeled image.
    """

    description: str
    label: Callable[[str], str | None]


def read_labeling(text: str, classes: LabelSet) -> Labeling:
    """The labeling that `--labels` names: "indices", or the path of a file of labels.

    Args:
        text: The value of the option.
        classes: Of the model.

    Raises:
        UnknownName: The file cannot be read, or its lines are ambiguous.
    """
    if text == INDICES:
        return _by_folder_numbers(classes)
    path = Path(text)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownName(
            f"The labels {quote(path.name)} cannot be read as a text file.",
            remedy="Check the path.",
            detail=repr(error),
        ) from error
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    return _labels_in_order(lines, path.name) or _labels_by_name(lines, path.name, classes)


def labeling_from_names(names: Sequence[str], source: str, classes: LabelSet) -> Labeling:
    """The labeling that the names suggest: class folders, WNIDs or folder numbers.

    Args:
        names: Names of the images inside a folder or zip.
        source: Name of that folder or zip, for the error.
        classes: Of the model.

    Raises:
        UnknownName: The folders have numbers that are not those of all classes, or a folder's name is ambiguous.
    """
    by_folder = Labeling("class folders", partial(_class_folder, shared=_shared(names), match=class_matcher(classes)))
    if has_own_classes(classes) and any(label in classes.wnids for label in map(by_folder.label, names)):
        return by_folder
    if any(map(_wnid, names)):
        return BY_WNIDS
    numbers = [PurePosixPath(name).parent.name for name in names]
    if not names or not all(map(is_number, numbers)):
        return by_folder
    check_folder_numbers(numbers, source, classes)
    return _by_folder_numbers(classes)


def labeling_by_folder(names: Sequence[str]) -> Labeling:
    """Class folders whatever the files are called, for a model that gets the classes of the data."""
    by_folder = Labeling("class folders", partial(_class_folder, shared=_shared(names)))
    return by_folder if any(map(by_folder.label, names)) else BY_WNIDS


def _wnid(name: str) -> str | None:
    """The WNID in an image's file name, otherwise in its innermost folder that has one."""
    path = PurePosixPath(name)
    in_file_name = _WNID.match(path.name) or _WNID_LAST.match(path.name)
    matches = (in_file_name, *map(_WNID.match, reversed(path.parts[:-1])))
    return next((match[1] for match in matches if match), None)


BY_WNIDS = Labeling("WNIDs in folder and file names", _wnid)


def _shared(names: Sequence[str]) -> int:
    """Number of outermost folders that hold all images, at least one folder of each image being left over."""
    folders = [PurePosixPath(name).parent.parts for name in names]
    if not folders:
        return 0
    first, last, shortest = min(folders), max(folders), min(map(len, folders))
    shared = next((i for i in range(shortest) if first[i] != last[i]), shortest)
    return shared - 1 if set(map(len, folders)) == {shared} and shared else shared


def _class_folder(name: str, shared: int, match: Callable[[str], str | None] | None = None) -> str | None:
    """The outermost folder that is a class of the model; else the first below the folders that hold all images."""
    folders = PurePosixPath(name).parent.parts
    found = next((label for label in map(match, folders) if label is not None), None) if match else None
    return found or (normalized(folders[shared]) if len(folders) > shared else None)


def _by_folder_numbers(classes: LabelSet) -> Labeling:
    def label(name: str) -> str | None:
        folder = PurePosixPath(name).parent.name
        return class_of_number(folder, classes) if is_number(folder) else None

    return Labeling(f"folder numbers: {numbering(classes)}", label)


# --- Files of labels --------------------------------------------------------------------------------------------------


def _labels_in_order(lines: Sequence[str], file: str) -> Labeling | None:
    """One label per line without names: line k is for validation image k. None if lines hold more."""
    if not lines or not all(re.fullmatch(r"n\d{8}|\d{1,4}", line) for line in lines):
        return None
    if lines[0].isdigit():
        raise UnknownName(
            f"{file} holds numbers without names, and the challenge's class numbers are not those of the models.",
            remedy=_REMEDY,
        )
    if len(lines) != NUM_VALIDATION_IMAGES:
        raise UnknownName(
            f"{file} holds {len(lines)} WNIDs without names; without names there must be one for each of the "
            f"{NUM_VALIDATION_IMAGES} validation images, in their order.",
            remedy=_REMEDY,
        )

    def label(name: str) -> str | None:
        match = _ILSVRC.match(PurePosixPath(name).name)
        return lines[int(match[1]) - 1] if match and 1 <= int(match[1]) <= NUM_VALIDATION_IMAGES else None

    return Labeling(f"{file}: WNIDs of the validation images in their order", label)


def _labels_by_name(lines: Sequence[str], file: str, classes: LabelSet) -> Labeling:
    """Lines of a name and a WNID, class number or class name; the first line may be a heading."""
    body = lines[1:] if lines and not _pattern(lines[0]) else lines
    pattern = _pattern(body[0]) if body else None
    if pattern is None:
        raise UnknownName(f"{file} is not a list of labels: no line has a name and a label.", remedy=_REMEDY)
    labels: dict[str, str] = {}
    for line in body:
        match = pattern.fullmatch(line)
        if match is None:
            raise UnknownName(f"{file} is not a list of labels: “{line[:60]}” has no name and label.", remedy=_REMEDY)
        if labels.setdefault(_without_suffix(match["name"]), match["label"]) != match["label"]:
            raise UnknownName(f"{file} gives {match['name']} two different labels.", remedy="Remove one of them.")
    kind = {_NAME_AND_WNID: "WNIDs by name", _NAME_AND_CLASS: "class names by name"}.get(pattern, "")
    meaning, labels = resolve_labels(labels, file, classes)
    return Labeling(f"{file}: {kind or f'class numbers by name: {meaning}'}", _label_lookup(labels))


def resolve_labels(
    labels: Mapping[str, str], source: str, classes: LabelSet | None
) -> tuple[str, dict[str, str]]:  # fmt: skip
    """The classes that the labels of a list mean.

    Args:
        labels: Name of an image -> WNID, class name or class number.
        source: What holds them, for the error.
        classes: Of the model; None for labels as they are written.

    Returns:
        What the labels are, in words, and name of an image -> class as `Labeling.label` gives it.

    Raises:
        UnknownName: A name is that of several classes, or numbers may be counted from 1.
    """
    if classes is None:
        return "class names", {name: normalized(text) for name, text in labels.items()}
    match, texts = class_matcher(classes), set(labels.values())
    if any(match(text) for text in texts) or not all(map(is_number, texts)):
        return "class names", {name: match(text) or text for name, text in labels.items()}
    check_numbers(texts, source, classes)
    return numbering(classes), {name: class_of_number(text, classes) or text for name, text in labels.items()}


def _pattern(line: str) -> re.Pattern[str] | None:
    patterns = (_NAME_AND_WNID, _NAME_AND_NUMBER, _NAME_AND_CLASS)
    return next((pattern for pattern in patterns if pattern.fullmatch(line)), None)


def _label_lookup(labels: Mapping[str, str]) -> Callable[[str], str | None]:
    """A function from image name to label: by the full name, otherwise by the file name if it is unambiguous."""
    by_file_name: dict[str, set[str]] = {}
    for name, label in labels.items():
        by_file_name.setdefault(PurePosixPath(name).name, set()).add(label)

    def label_of(name: str) -> str | None:
        name = _without_suffix(name)
        candidates = by_file_name.get(PurePosixPath(name).name, set())
        return labels.get(name) or (next(iter(candidates)) if len(candidates) == 1 else None)

    return label_of


def _without_suffix(name: str) -> str:
    """An image's name without suffix: lists are written with and without."""
    return re.sub(rf"{_SUFFIX}$", "", name, flags=re.IGNORECASE)
