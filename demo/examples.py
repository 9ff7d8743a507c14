"""Example photographs, bundled in assets/examples with their true class, source, author and license.

The bundled model classifies them correctly, but for those that are marked: they show how it fails. One of these is of a
class that the model does not know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from transxnet.assets import find_asset

from .i18n.translate import tr


@dataclass(frozen=True)
class Example:
    """A photograph and what it shows.

    Attributes:
        name: Its true class, which also names it in a URL.
        wnid: Of that class; None if the bundled model's label set lacks it.
        source: Where the file comes from.
        author: Of the photograph.
        license: An SPDX identifier, or "public domain".
        misclassified: Whether the bundled model predicts another class.
    """

    name: str
    wnid: str | None
    source: str
    author: str
    license: str
    misclassified: bool = False

    @property
    def path(self) -> Path:
        return find_asset(f"examples/{self.name}.jpg")

    @property
    def note(self) -> str:
        """What is said below its name, in the current locale."""
        return tr("examples.misclassified") if self.misclassified else ""


@cache
def examples() -> tuple[Example, ...]:
    """All examples; the page opens on the first, and compares it with the second."""
    text = find_asset("examples/examples.json").read_text(encoding="utf-8")
    return tuple(Example(**values) for values in json.loads(text))
