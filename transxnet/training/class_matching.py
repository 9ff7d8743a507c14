"""Which class of a model a label means: WNIDs, names as folders spell them, and class numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from ..errors import UnknownName
from ..labels import NUMBERED, LabelSet, label_set, wnid_or_none

INDICES = "indices"  # value of --labels: folders are numbered by class, also if some numbers are missing
_NUMBER = re.compile(r"\d{1,6}")
_IN_ANY_ORDER = 10  # with more classes, "10" lies before "2" where folders are sorted as text


def class_matcher(classes: LabelSet) -> Callable[[str], str | None]:
    """A function from a label to the class that it means.

    Args:
        classes: Of the model.

    Returns:
        A function that takes a WNID, a name or a synonym, in any case and with underscores in place of spaces. It
        returns the class's entry in `LabelSet.wnids`, None for a class that the model does not have; it raises
        UnknownName for a name of several classes.
    """

    @cache
    def match(text: str) -> str | None:
        text = normalized(text)
        for spelling in dict.fromkeys((text, " ".join(text.replace("_", " ").split()))):
            matches = classes.matches(spelling)
            if len(matches) > 1:
                raise classes.ambiguous(spelling, matches)
            if matches:
                return classes.wnids[matches[0]]
        return None

    return match


def normalized(text: str) -> str:
    """A label in Unicode's composed form: some file systems decompose the names of folders."""
    return unicodedata.normalize("NFC", text).strip()


def has_own_classes(classes: LabelSet) -> bool:
    """Whether a model's classes have no WNIDs."""
    return not any(map(wnid_or_none, classes.wnids))


def is_number(text: str) -> bool:
    """Whether a label is a class number."""
    return _NUMBER.fullmatch(text) is not None


def class_of_number(text: str, classes: LabelSet) -> str | None:
    """The class with a number, from 0: of the model, or of ImageNet-1K by WNID where the model's classes are WNIDs."""
    wnids = _numbered(classes).wnids
    return wnids[int(text)] if int(text) < len(wnids) else None


def numbering(classes: LabelSet) -> str:
    """What class numbers mean, for reports and errors."""
    return "the model's classes, from 0" if has_own_classes(classes) else "ImageNet-1K's classes by WNID, from 0"


def check_folder_numbers(texts: Iterable[str], source: str, classes: LabelSet) -> None:
    """Accept numbered folders if they are complete and their order is that of the classes. Raises UnknownName."""
    texts = set(texts)
    numbers, count = {int(text) for text in texts}, len(_numbered(classes))
    nameless = classes.name.startswith(NUMBERED)
    sorted_alike = count <= _IN_ANY_ORDER or len(set(map(len, texts))) == 1 or not nameless
    if numbers == set(range(count)) and sorted_alike:
        return
    raise UnknownName(
        f"The class folders of {source} are {len(numbers)} numbers from {min(numbers)} to {max(numbers)}; "
        + (f"only the complete set of 0 to {count - 1} is unambiguous." if numbers != set(range(count))
           else "sorted as text or as numbers they give different classes."),
        remedy=f"If they are {numbering(classes)}, add --labels {INDICES}.",
    )  # fmt: skip


def check_numbers(texts: Iterable[str], source: str, classes: LabelSet) -> None:
    """Raises UnknownName for class numbers in a list that may be counted from 1."""
    numbers = {int(text) for text in texts}
    if 0 not in numbers or max(numbers) >= len(_numbered(classes)):
        raise UnknownName(
            f"The class numbers in {source} range from {min(numbers)} to {max(numbers)}: they may be counted from 1, "
            "and in another order.",
            remedy="Write class names or WNIDs instead of numbers.",
        )


def _numbered(classes: LabelSet) -> LabelSet:
    return classes if has_own_classes(classes) else label_set("imagenet-1k")
