"""The meaning of a class index in each label set: index -> WNID -> name.

imagenet-1k: timm.data.ImageNetInfo, in the usual order. tiny-imagenet-200: its 200 WNIDs in sorted order; the names
also come from ImageNetInfo. numbered-N: N classes without names, for backbones trained on other data. A class index is
always the index of an output of the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from .assets import find_asset
from .errors import UnknownName, check_index, quote

NUMBERED = "numbered-"


@dataclass(frozen=True)
class LabelSet:
    """The classes of a model.

    Attributes:
        name: Of the label set.
        wnids: The WNID of each class.
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
            UnknownName: No class has this name.
            OutOfRange: The index is out of range.
        """
        query = str(text).strip().lower()
        if re.fullmatch(r"-?[0-9]{1,9}", query):
            return check_index(int(query), 0, len(self) - 1, "{labels} has no class {index}.", labels=self.name)
        for names in (self.wnids, tuple(name.lower() for name in self.names)):
            if query in names:
                return names.index(query)
        matches = [i for i, synonyms in enumerate(self.all_names) if query in synonyms.lower().split(", ")]
        if matches:
            return matches[0]
        raise UnknownName(
            "None of the {count} classes of {labels} is called {name}.",
            remedy="Use a class's name, its WNID or its index; `python -m transxnet list --classes NAME` lists them.",
            count=len(self), labels=self.name, name=quote(str(text).strip()),
        )  # fmt: skip


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
            "There is no label set {name}.", remedy="Label sets: imagenet-1k, tiny-imagenet-200.", name=quote(name)
        )
    synonyms = tuple(info.label_name_to_description(wnid) for wnid in wnids)
    return LabelSet(name, wnids, tuple(names.split(", ")[0] for names in synonyms), synonyms)
