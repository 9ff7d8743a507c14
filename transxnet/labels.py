"""The classes of a model: index -> identifier -> name.

imagenet-1k: timm.data.ImageNetInfo, in the usual order. tiny-imagenet-200: its 200 WNIDs in sorted order; the names
also come from ImageNetInfo. numbered-N: N classes without names. A model with other classes has a LabelSet made of
its names (class_names.py). A class index is always the index of an output of the model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from .assets import find_asset
from .errors import UnknownName, check_index, quote

NUMBERED = "numbered-"
LABEL_SETS = ("imagenet-1k", "tiny-imagenet-200")
_WNID = re.compile(r"n\d{8}")


@dataclass(frozen=True)
class LabelSet:
    """The classes of a model.

    Attributes:
        name: Of the label set.
        wnids: The WNID of each class; where a class has none, another identifier that is unique in the set.
        names: One name of each class.
        all_names: All synonyms of each class, separated by ", ", for searching.
    """

    name: str
    wnids: tuple[str, ...]
    names: tuple[str, ...]
    all_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.wnids)

    def find(self, text: str | int) -> int:
        """Find a class.

        Args:
            text: An index, a WNID or a name ("ladybug"), in any case.

        Returns:
            The class index.

        Raises:
            UnknownName: No class has this name, or several have.
            OutOfRange: The index is out of range.
        """
        query = str(text).strip().casefold()
        if re.fullmatch(r"-?[0-9]{1,9}", query):
            return check_index(int(query), 0, len(self) - 1, "{labels} has no class {index}.", labels=self.name)
        matches = self.matches(str(text))
        if len(matches) > 1:
            raise self.ambiguous(str(text), matches)
        if matches:
            return matches[0]
        raise UnknownName(
            "None of the {count} classes of {labels} is called {name}.",
            remedy="Use a class's name, its WNID or its index; `python -m transxnet list --classes NAME` lists them.",
            count=len(self), labels=self.name, name=quote(str(text).strip()),
        )  # fmt: skip

    def matches(self, text: str) -> list[int]:
        """Indices of the classes with this WNID, else with this name, else with this synonym, in any case."""
        query = text.strip().casefold()
        names = ([name.casefold()] for name in self.names)
        synonyms = (text.casefold().split(", ") for text in self.all_names)
        for candidates in (([wnid.casefold()] for wnid in self.wnids), names, synonyms):
            matches = [index for index, values in enumerate(candidates) if query in values]
            if matches:  # "Cardigan", the dog, and "cardigan"
                same_case = [index for index in matches if text.strip() in (self.wnids[index], self.names[index])]
                return same_case if len(same_case) == 1 else matches
        return []

    def ambiguous(self, text: str, matches: Sequence[int]) -> UnknownName:
        """The error for a text that means several classes."""
        candidates = "; ".join(f"{self.wnids[i]} (class {i}: {self.all_names[i]})" for i in matches)
        return UnknownName(
            "{count} classes of {labels} are called {name}.", remedy="Choose one of them: {candidates}.",
            count=len(matches), labels=self.name, name=quote(text.strip()), candidates=candidates,
        )  # fmt: skip


def wnid_or_none(wnid: str) -> str | None:
    """A class's WNID for JSON: None for a class that has another identifier."""
    return wnid if _WNID.fullmatch(wnid) else None


def own_labels(name: str, names: Sequence[str], descriptions: Mapping[str, str] | None = None) -> LabelSet:
    """The label set of a model with other classes than those of LABEL_SETS.

    Args:
        name: Of the set.
        names: Of each class, in the order of the model's outputs, or WNIDs.
        descriptions: Synonyms of a class, separated by ", ", by its entry in `names`.

    Returns:
        Classes named by `names`; those given by WNIDs are named by the first word of their description. A name that
        occurs more than once is identified by "NAME (INDEX)".
    """
    counts = Counter(names)
    wnids = tuple(text if counts[text] == 1 else f"{text} ({index})" for index, text in enumerate(names))
    described = tuple((descriptions or {}).get(text) or text for text in names)
    first = tuple(
        words.split(", ")[0] if wnid_or_none(text) else text for text, words in zip(names, described, strict=True)
    )
    synonyms = tuple(
        words if text in words.split(", ") or wnid_or_none(text) else f"{text}, {words}"
        for text, words in zip(names, described, strict=True)
    )
    return LabelSet(name, wnids, first, synonyms)


@cache
def label_set(name: str) -> LabelSet:
    """The label set "imagenet-1k", "tiny-imagenet-200", or "numbered-N" for N classes without names."""
    if name.startswith(NUMBERED) and name.removeprefix(NUMBERED).isdigit():
        numbers = tuple(f"class {i}" for i in range(int(name.removeprefix(NUMBERED))))
        return LabelSet(name, numbers, numbers, numbers)
    from timm.data import ImageNetInfo  # reads tables from disk, so only when needed

    info = ImageNetInfo("imagenet-1k")
    if name == "imagenet-1k":
        wnids = tuple(info.label_names())
    elif name == "tiny-imagenet-200":
        wnids = tuple(find_asset(f"labels/{name}.txt").read_text(encoding="utf-8").split())
    else:
        raise UnknownName(
            "There is no label set {name}.",
            remedy="Label sets: {names}.",
            name=quote(name),
            names=", ".join(LABEL_SETS),
        )
    synonyms = tuple(info.label_name_to_description(wnid) for wnid in wnids)
    return LabelSet(name, wnids, tuple(names.split(", ")[0] for names in synonyms), synonyms)
