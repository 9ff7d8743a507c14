"""A bounded store that forgets what was longest unused, and how much memory a study takes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Shelf(OrderedDict[Hashable, T]):
    """No more than `size` things and, where `most` is given, no more than so many bytes of arrays in all of them.

    The newest thing stays even where it alone is more than `most`. Guarded by whoever owns it.
    """

    def __init__(self, size: int, most: int | None = None):
        super().__init__()
        self.size, self.most = size, most
        self._bytes: dict[Hashable, int] = {}

    def get(self, key: Hashable, default: T | None = None) -> T | None:
        if key in self:
            self.move_to_end(key)
        return super().get(key, default)

    def put(self, key: Hashable, value: T) -> None:
        self[key] = value
        self.move_to_end(key)
        self._bytes[key] = nbytes(value) if self.most is not None else 0
        while len(self) > self.size or self._too_much():
            oldest, _ = self.popitem(last=False)
            del self._bytes[oldest]

    def _too_much(self) -> bool:
        return self.most is not None and len(self) > 1 and sum(self._bytes.values()) > self.most


def nbytes(value: object) -> int:
    """Bytes of the arrays in a value: in dataclasses, mappings, tuples and lists. What is there twice counts once.

    A part of an array counts as the whole, which stays in memory for it.
    """
    return sum(array.nbytes for array in _arrays(value, {}).values())


def _arrays(value: object, found: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """found: by their ids, which they keep as long as they are in it; added to."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        found[id(value)] = value
    elif is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            _arrays(getattr(value, one.name), found)
    elif isinstance(value, Mapping):
        for one in value.values():
            _arrays(one, found)
    elif isinstance(value, (tuple, list)):
        for one in value:
            _arrays(one, found)
    return found
