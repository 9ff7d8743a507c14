"""Several maps of one image brought onto one grid, kept beside what they were made of."""

from __future__ import annotations

from dataclasses import dataclass

from .explanation import Explanation


@dataclass(frozen=True)
class CombinedMaps(Explanation):
    """heat is the combination, which has scaled each of `parts`; the parts are as raw as when they stand alone."""

    parts: tuple[Explanation, ...] = ()
