"""A StudyFigure: one finished image with its caption, its table and the raw values behind it.

Report, page, gallery and command line place figures without knowing what they show. The functions that make figures
take the results of one or several models, so that whatever is compared shares one image and one scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..messages import Message

if TYPE_CHECKING:
    from .canvas import Canvas


@dataclass(frozen=True)
class Table:
    """Formatted text in rows; the first column names the row. Raises ValueError if rows differ in length."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"a row of {len(row)} cells under {len(self.head)} headings: {row}")


@dataclass(frozen=True)
class StudyFigure:
    """One figure of a study.

    Attributes:
        name: Of files, e.g. "ablation_table".
        title: A heading; like caption and limits a Message, whose template can be translated.
        caption: What is drawn, on which scale, and the most important numbers.
        alt: What the image shows, for readers who cannot see it.
        limits: Limitations: how not to interpret the figure.
        image: uint8 (H, W, 3), RGB, readable at 1200 pixels across; None where the table is the figure. A Canvas is
            rendered, and kept in `canvas` for other renderings.
        table: The numbers as text.
        numbers, arrays: Raw values under names that begin with the model ("pico/r50"), for manifest.json and NPZ.
    """

    name: str
    title: str
    caption: str
    alt: str
    limits: str
    image: np.ndarray | Canvas | None = None
    table: Table | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    canvas: Canvas | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if hasattr(self.image, "to_rgb"):
            object.__setattr__(self, "canvas", self.image)
            object.__setattr__(self, "image", self.canvas.to_rgb())
        for name in ("title", "caption", "limits"):
            if not isinstance(text := getattr(self, name), Message):
                object.__setattr__(self, name, Message(text))


def joined(sentences: Sequence[str], separator: str = "; ") -> Message:
    """Sentences as one Message, each of which can be translated."""
    values = {f"part_{i}": sentence for i, sentence in enumerate(sentences)}
    return Message(separator.join(f"{{{name}}}" for name in values), **values)


def arrays_by_model(keys: Sequence[str], names: Sequence[str], results: Sequence[object]) -> dict[str, np.ndarray]:
    """Attributes of several models' results as arrays, under "MODEL/attribute"."""
    pairs = zip(names, results, strict=True)
    return {f"{name}/{key}": np.asarray(getattr(result, key)) for name, result in pairs for key in keys}
