"""A StudyFigure: one finished image with its words, its table and the raw values behind it.

Report, page, gallery and the command line place figures and know nothing of what is on them. The functions that make
figures take one or several variants' results, so that what is compared stands in one image on one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Table:
    """Words and numbers in rows, already written as a person reads them. The first column names the row."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"a row of {len(row)} cells under {len(self.head)} headings: {row}")


@dataclass(frozen=True)
class StudyFigure:
    """name: of files, e.g. "ablation_table". caption: what exactly is drawn, on which scale, and the number worth
    knowing.

    alt: what the image shows, in words, for who cannot see it. limits: what it must not be read as.
    image: uint8 (H, W, 3), RGB, readable at 1200 pixels across; None where only the table speaks.
    numbers, arrays: raw, under names that say which variant ("pico/r50"); they go into manifest.json and the NPZ.
    """

    name: str
    title: str
    caption: str
    alt: str
    limits: str
    image: np.ndarray | None = None
    table: Table | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
