"""Classes of images, from their names, from numbered folders or from a file of labels. All become WNIDs.

* WNIDs in names: n02165456/x.jpg, n02165456_x.jpg, ILSVRC2012_val_00000293_n01440764.JPEG. The innermost name wins.
* Numbered folders, as in ImageNet-V2 (https://github.com/modestyachts/ImageNetV2): 0 to 999, the classes of
  ImageNet-1K in the order of their WNIDs. They are recognized only if all thousand exist.
* A file of labels, for the flat ILSVRC2012_val_00000001.JPEG …: lines of a name and a WNID (Kaggle's
  LOC_val_solution.csv, Tiny-ImageNet's val_annotations.txt), of a name and a class number (Caffe's val.txt), or 50,000
  lines of a WNID, line k for the image with number k.

Numbers could be counted from 1, or be those of the challenge: where that is possible they are refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import UnknownName, quote
from ..labels import label_set

INDICES = "indices"  # value of --labels: numbered folders, also if some of the thousand are missing
NUM_VALIDATION_IMAGES = 50_000  # of ILSVRC2012

_WNID = re.compile(r"(n\d{8})(?:_|$)")
_WNID_LAST = re.compile(r".*_(n\d{8})(?:\.\w+)?$")
_NUMBER = re.compile(r"\d{1,4}$")
_ILSVRC = re.compile(r"ILSVRC2012_val_(\d{8})")
_NAME_AND_WNID = re.compile(r'"?(?P<name>.+?)"?[\s,;]+"?(?P<label>n\d{8})\b.*')
_NAME_AND_NUMBER = re.compile(r'"?(?P<name>\S.*?)"?[\s,;]+"?(?P<label>\d{1,4})"?')
_REMEDY = (
    "Use LOC_val_solution.csv, val.txt or a file with a name and a WNID per line; or make WNID folders of the official "
    'archives with torchvision.datasets.ImageNet(root, split="val").'
)


@dataclass(frozen=True)
class Labeling:
    """How images are labeled.

    Attributes:
        description: For reports.
        wnid: Function from an image's name inside its folder or zip to its class, None for an unlabeled image.
    """

    description: str
    wnid: Callable[[str], str | None]


def read_labeling(text: str) -> Labeling:
    """The labeling that `--labels` names: "indices", or the path of a file of labels.

    Raises:
        UnknownName: The file cannot be read, or its lines are ambiguous.
    """
    if text == INDICES:
        return BY_FOLDER_NUMBERS
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
    return _labels_in_order(lines, path.name) or _labels_by_name(lines, path.name)


def labeling_from_names(names: Sequence[str], source: str) -> Labeling:
    """WNIDs; or folder numbers, if no image has a WNID and the folders are exactly 0 to 999.

    Args:
        names: Names of the images inside a folder or zip.
        source: Name of that folder or zip, for the error.

    Raises:
        UnknownName: The folders have other numbers.
    """
    if any(map(_wnid, names)):
        return BY_WNIDS
    numbers = [_folder_number(name) for name in names]
    if not names or None in numbers:
        return BY_WNIDS
    if set(numbers) == set(range(1000)):
        return BY_FOLDER_NUMBERS
    raise UnknownName(
        f"The class folders of {source} are {len(set(numbers))} numbers from {min(numbers)} to {max(numbers)}; only "
        "the complete set of 0 to 999 is unambiguous.",
        remedy=f"If they are ImageNet-1K's classes in the order of their WNIDs, from 0, add --labels {INDICES}.",
    )


def _wnid(name: str) -> str | None:
    """The WNID in an image's file name, otherwise in its innermost folder that has one."""
    path = PurePosixPath(name)
    in_file_name = _WNID.match(path.name) or _WNID_LAST.match(path.name)
    matches = (in_file_name, *map(_WNID.match, reversed(path.parts[:-1])))
    return next((match[1] for match in matches if match), None)


def _folder_number(name: str) -> int | None:
    folder = PurePosixPath(name).parent.name
    return int(folder) if _NUMBER.match(folder) else None


def _wnid_of_folder_number(name: str) -> str | None:
    number, wnids = _folder_number(name), label_set("imagenet-1k").wnids
    return wnids[number] if number is not None and number < len(wnids) else None


BY_WNIDS = Labeling("WNIDs in folder and file names", _wnid)
BY_FOLDER_NUMBERS = Labeling("folder numbers: ImageNet-1K's classes by WNID, from 0", _wnid_of_folder_number)


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

    def wnid(name: str) -> str | None:
        match = _ILSVRC.match(PurePosixPath(name).name)
        return lines[int(match[1]) - 1] if match and 1 <= int(match[1]) <= NUM_VALIDATION_IMAGES else None

    return Labeling(f"{file}: WNIDs of the validation images in their order", wnid)


def _labels_by_name(lines: Sequence[str], file: str) -> Labeling:
    """Lines of a name and a WNID, or of a name and a class number; the first line may be a heading."""
    body = lines[1:] if lines and not _pattern(lines[0]) else lines
    pattern = _pattern(body[0]) if body else None
    if pattern is None:
        raise UnknownName(f"{file} is not a list of labels: no line has a name and a WNID.", remedy=_REMEDY)
    labels: dict[str, str] = {}
    for line in body:
        match = pattern.fullmatch(line)
        if match is None:
            raise UnknownName(f"{file} is not a list of labels: “{line[:60]}” has no name and label.", remedy=_REMEDY)
        if labels.setdefault(_without_suffix(match["name"]), match["label"]) != match["label"]:
            raise UnknownName(f"{file} gives {match['name']} two different labels.", remedy="Remove one of them.")
    description = "WNIDs by name"
    if pattern is _NAME_AND_NUMBER:
        labels = _numbers_to_wnids(labels, file)
        description = "class numbers by name: ImageNet-1K's classes by WNID, from 0"
    return Labeling(f"{file}: {description}", _label_lookup(labels))


def _pattern(line: str) -> re.Pattern[str] | None:
    return next((pattern for pattern in (_NAME_AND_WNID, _NAME_AND_NUMBER) if pattern.fullmatch(line)), None)


def _numbers_to_wnids(labels: Mapping[str, str], file: str) -> dict[str, str]:
    """Convert class numbers. Raises UnknownName for numbers that may be counted from 1."""
    wnids, numbers = label_set("imagenet-1k").wnids, {int(number) for number in labels.values()}
    if 0 not in numbers or max(numbers) >= len(wnids):
        raise UnknownName(
            f"The class numbers in {file} range from {min(numbers)} to {max(numbers)}: they may be counted from 1, and "
            "in another order.",
            remedy="Write WNIDs instead of numbers.",
        )
    return {name: wnids[int(number)] for name, number in labels.items()}


def _label_lookup(labels: Mapping[str, str]) -> Callable[[str], str | None]:
    """A function from image name to label: by the full name, otherwise by the file name if it is unambiguous."""
    by_file_name: dict[str, set[str]] = {}
    for name, label in labels.items():
        by_file_name.setdefault(PurePosixPath(name).name, set()).add(label)

    def wnid(name: str) -> str | None:
        name = _without_suffix(name)
        candidates = by_file_name.get(PurePosixPath(name).name, set())
        return labels.get(name) or (next(iter(candidates)) if len(candidates) == 1 else None)

    return wnid


def _without_suffix(name: str) -> str:
    """An image's name without suffix: lists are written with and without."""
    return re.sub(r"\.(jpe?g?|jfif|png|webp|bmp|gif|avif|tiff?|hei[cf])$", "", name, flags=re.IGNORECASE)
