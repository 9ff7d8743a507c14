"""What tells an image's class: its own names, numbered folders, or a file of labels. Everything becomes a WNID.

* WNIDs in names: n02165456/x.jpg, n02165456_x.jpg, ILSVRC2012_val_00000293_n01440764.JPEG. An innermost name wins.
* Numbered folders, as ImageNet-V2 has them (https://github.com/modestyachts/ImageNetV2): 0 to 999, the classes of
  ImageNet-1K in the order of their WNIDs. Only all thousand together say so by themselves.
* A file of labels, for the flat ILSVRC2012_val_00000001.JPEG …: lines of a name and a WNID (Kaggle's
  LOC_val_solution.csv, Tiny-ImageNet's val_annotations.txt, one's own), of a name and a class number (Caffe's val.txt),
  or 50,000 lines of a WNID, line k for the image whose number is k.

Numbers could be counted from 1, or in the challenge's own order: where that is possible they are refused, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import UnknownName, quote
from ..labels import label_set

INDICES = "indices"  # --labels indices: numbered folders, also where some of the thousand are absent
VALIDATION = 50_000  # images of ILSVRC2012's validation set

_WNID = re.compile(r"(n\d{8})(?:_|$)")
_WNID_LAST = re.compile(r".*_(n\d{8})\.\w+$")
_NUMBER = re.compile(r"\d{1,4}$")
_ILSVRC = re.compile(r"ILSVRC2012_val_(\d{8})")
_NAMED = re.compile(r'"?(?P<name>.+?)"?[\s,;]+"?(?P<wnid>n\d{8})\b.*')
_NUMBERED = re.compile(r'"?(?P<name>\S.*?)"?[\s,;]+"?(?P<number>\d{1,4})"?')
_OFFICIAL = (
    "Give LOC_val_solution.csv, val.txt or a file with a name and a WNID a line; or make WNID folders of the official "
    'archives by torchvision.datasets.ImageNet(root, split="val").'
)


@dataclass(frozen=True)
class Labeling:
    """wnid: an image's name inside its folder or zip -> its class, None where nothing tells it. words: how."""

    words: str
    wnid: Callable[[str], str | None]


def read_labeling(text: str) -> Labeling:
    """What `--labels` asks for: "indices", or the path of a file of labels. UnknownName for one that is neither."""
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
    return _by_order(lines, path.name) or _by_name(lines, path.name)


def by_the_names_of(names: Sequence[str], where: str) -> Labeling:
    """By WNIDs; by folder numbers where no image has a WNID and the folders are 0 to 999, all of them.

    names: of the images inside a folder or zip called `where`. Raises UnknownName for other numbers.
    """
    if any(map(_wnid, names)):
        return BY_WNIDS
    numbers = [_folder_number(name) for name in names]
    if not names or None in numbers:
        return BY_WNIDS
    if set(numbers) == set(range(1000)):
        return BY_FOLDER_NUMBERS
    raise UnknownName(
        f"The class folders of {where} are {len(set(numbers))} numbers from {min(numbers)} to {max(numbers)}; only all "
        "of 0 to 999 together say what they count.",
        remedy=f"If they are ImageNet-1K's classes in the order of their WNIDs, from 0, add --labels {INDICES}.",
    )


def _wnid(name: str) -> str | None:
    """The class of an image by its own name, else by its innermost folder that has one."""
    path = PurePosixPath(name)
    own = _WNID.match(path.name) or _WNID_LAST.match(path.name)
    places = (own, *map(_WNID.match, reversed(path.parts[:-1])))
    return next((found[1] for found in places if found), None)


def _folder_number(name: str) -> int | None:
    folder = PurePosixPath(name).parent.name
    return int(folder) if _NUMBER.match(folder) else None


def _by_folder_number(name: str) -> str | None:
    number, wnids = _folder_number(name), label_set("imagenet-1k").wnids
    return wnids[number] if number is not None and number < len(wnids) else None


BY_WNIDS = Labeling("the WNIDs in folder and file names", _wnid)
BY_FOLDER_NUMBERS = Labeling("the folders' numbers: ImageNet-1K's classes by WNID, from 0", _by_folder_number)


# --- files of labels --------------------------------------------------------------------------------------------------


def _by_order(lines: Sequence[str], file: str) -> Labeling | None:
    """A label a line and no names: the k-th is the k-th validation image's. None where lines hold more."""
    if not lines or not all(re.fullmatch(r"n\d{8}|\d{1,4}", line) for line in lines):
        return None
    if lines[0].isdigit():
        raise UnknownName(
            f"{file} holds numbers without names, and the challenge's own numbers are not the models' classes.",
            remedy=_OFFICIAL,
        )
    if len(lines) != VALIDATION:
        raise UnknownName(
            f"{file} holds {len(lines)} WNIDs without names; without names it takes one for each of the {VALIDATION} "
            "validation images, in their order.",
            remedy=_OFFICIAL,
        )

    def wnid(name: str) -> str | None:
        found = _ILSVRC.match(PurePosixPath(name).name)
        return lines[int(found[1]) - 1] if found and 1 <= int(found[1]) <= VALIDATION else None

    return Labeling(f"{file}: the WNIDs of the validation images in their order", wnid)


def _by_name(lines: Sequence[str], file: str) -> Labeling:
    """Lines of a name and a WNID, or of a name and a class number; the first may be a heading."""
    body = lines[1:] if lines and not _pattern(lines[0]) else lines
    pattern = _pattern(body[0]) if body else None
    if pattern is None:
        raise UnknownName(f"{file} is no list of labels: no line has a name and a WNID.", remedy=_OFFICIAL)
    found = [pattern.fullmatch(line) for line in body]
    if None in found:
        raise UnknownName(
            f"{file} is no list of labels: “{body[found.index(None)][:60]}” has no name and label.", remedy=_OFFICIAL
        )
    labels: dict[str, str] = {}
    for match in found:
        if labels.setdefault(_plain(match["name"]), match[2]) != match[2]:
            raise UnknownName(f"{file} gives {match['name']} two different labels.", remedy="Remove one of them.")
    words = "WNIDs by name"
    if pattern is _NUMBERED:
        labels, words = _from_numbers(labels, file), "class numbers by name: ImageNet-1K's classes by WNID, from 0"
    return Labeling(f"{file}: {words}", _look_up(labels))


def _pattern(line: str) -> re.Pattern[str] | None:
    return next((pattern for pattern in (_NAMED, _NUMBERED) if pattern.fullmatch(line)), None)


def _from_numbers(labels: Mapping[str, str], file: str) -> dict[str, str]:
    """Class numbers -> WNIDs. Only numbers that cannot be counted from 1 are taken."""
    wnids, numbers = label_set("imagenet-1k").wnids, {int(number) for number in labels.values()}
    if 0 not in numbers or max(numbers) >= len(wnids):
        raise UnknownName(
            f"The class numbers in {file} go from {min(numbers)} to {max(numbers)}: they may be counted from 1, and in "
            "another order.",
            remedy="Write WNIDs instead of numbers.",
        )
    return {name: wnids[int(number)] for name, number in labels.items()}


def _look_up(labels: Mapping[str, str]) -> Callable[[str], str | None]:
    """By the name inside the folder or zip; else by its last part, where all entries that end so agree."""
    by_last: dict[str, set[str]] = {}
    for name, label in labels.items():
        by_last.setdefault(PurePosixPath(name).name, set()).add(label)

    def wnid(name: str) -> str | None:
        plain = _plain(name)
        found = by_last.get(PurePosixPath(plain).name, set())
        return labels.get(plain) or (next(iter(found)) if len(found) == 1 else None)

    return wnid


def _plain(name: str) -> str:
    """An image's name without its suffix: lists have it with and without."""
    return re.sub(r"\.(jpe?g|png|webp|bmp|gif|avif)$", "", name, flags=re.IGNORECASE)
