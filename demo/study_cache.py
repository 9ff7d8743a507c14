"""The cache of studies: an LRU cache bounded by the bytes of the arrays in them, and so by their number as well."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass

import numpy as np
from cachetools import LRUCache

from transxnet.study import Study

MAX_BYTES = 256 * 2**20  # of all studies in a cache; one with large attention tables takes megabytes


def study_cache(max_studies: int) -> LRUCache[Hashable, Study]:
    """An empty cache of at most `max_studies` studies, fewer where they are large."""
    smallest = MAX_BYTES / max_studies
    return LRUCache(MAX_BYTES, getsizeof=lambda study: max(smallest, array_bytes(study)))


def array_bytes(value: object) -> int:
    """Bytes of the arrays in dataclasses, mappings, tuples and lists; an array that occurs twice counts once.

    A view of an array counts as the whole array, which it keeps in memory.
    """
    return sum(array.nbytes for array in _arrays(value, {}).values())


def _arrays(value: object, arrays: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """arrays: By id; added to. An id stays that of its array, because the array is kept here."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        arrays[id(value)] = value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _arrays(getattr(value, field.name), arrays)
    elif isinstance(value, Mapping):
        for item in value.values():
            _arrays(item, arrays)
    elif isinstance(value, (tuple, list)):
        for item in value:
            _arrays(item, arrays)
    return arrays
