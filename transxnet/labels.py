"""What a class index means: index -> WNID -> words, per label set.

imagenet-1k: timm.data.ImageNetInfo, the usual order. tiny-imagenet-200: its 200 WNIDs in sorted order,
index i is the i-th; the words come from ImageNetInfo too. numbered-N: N classes that nobody named here, for backbones
trained on other sets. A class index is always a model's own output.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import OutOfRange, UnknownName, quote

NUMBERED = "numbered-"
ASSETS = Path(__file__).resolve().parent.parent / "assets"


@dataclass(frozen=True)
class LabelSet:
    """wnids[i] and words[i] name class i; all_words[i] holds every synonym, for searching."""

    name: str
    wnids: tuple[str, ...]
    names: tuple[str, ...]
    all_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.wnids)

    def find(self, text: str | int) -> int:
        """The class index for an index, a WNID or words ("ladybug"); UnknownName or OutOfRange otherwise."""
        wanted = str(text).strip().lower()
        if re.fullmatch(r"-?[0-9]{1,9}", wanted):
            return self._in_range(int(wanted))
        for names in (self.wnids, tuple(w.lower() for w in self.names)):
            if wanted in names:
                return names.index(wanted)
        synonyms = [i for i, words in enumerate(self.all_names) if wanted in words.lower().split(", ")]
        if synonyms:
            return synonyms[0]
        raise UnknownName(
            f"None of the {len(self)} classes of {self.name} is called {quote(str(text).strip())}.",
            remedy="Use a class's name, its WNID or its index; `python -m transxnet list --classes NAME` lists them.",
        )

    def _in_range(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise OutOfRange(f"There is no class {index} in {self.name}.", remedy=f"Choose 0 to {len(self) - 1}.")
        return index


@cache
def label_set(name: str) -> LabelSet:
    """The label set of that name: "imagenet-1k", "tiny-imagenet-200", or "numbered-N" for N classes without words."""
    if name.startswith(NUMBERED) and name.removeprefix(NUMBERED).isdigit():
        numbers = tuple(f"class {i}" for i in range(int(name.removeprefix(NUMBERED))))
        return LabelSet(name, numbers, numbers, numbers)
    from timm.data import ImageNetInfo  # reads its tables from disk: only when asked

    info = ImageNetInfo("imagenet-1k")
    if name == "imagenet-1k":
        wnids = tuple(info.label_names())
    elif name == "tiny-imagenet-200":
        wnids = tuple((ASSETS / "labels" / f"{name}.txt").read_text(encoding="utf-8").split())
    else:
        raise UnknownName(
            f"There is no label set called {quote(name)}.", remedy="Known: imagenet-1k, tiny-imagenet-200."
        )
    synonyms = tuple(info.label_name_to_description(wnid) for wnid in wnids)
    return LabelSet(name, wnids, tuple(words.split(", ")[0] for words in synonyms), synonyms)
