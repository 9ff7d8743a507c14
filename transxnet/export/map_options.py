"""Options of a file that holds one map (map_file.py): the only definition of them.

The page (demo/state.py) and the command line (cli/study.py) derive names, choices, defaults and descriptions from the
fields of `MapFileOptions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from ..errors import OutOfRange, quote


def _option(description: str, *choices: Any) -> Any:
    """A field whose first choice is its default."""
    return field(default=choices[0], metadata={"description": description, "choices": choices})


@dataclass(frozen=True)
class MapFileOptions:
    """How one map is written.

    Raises:
        OutOfRange: A value is none of its choices.
    """

    format: str = _option("file format", "png", "svg", "pdf")
    width: float = _option("width in inches, of one or two columns of a page", 3.5, 7.0)
    dpi: int = _option("pixels an inch", 300, 600)
    caption: bool = _option("with the caption", True, False)
    color_bar: bool = _option("with the color bar", True, False)

    def __post_init__(self) -> None:
        for option in fields(self):
            value, choices = getattr(self, option.name), option.metadata["choices"]
            if value not in choices or isinstance(value, bool) != isinstance(choices[0], bool):
                raise OutOfRange(
                    "{name} of a map file cannot be {value}.", remedy="Choose one of: {names}.",
                    name=option.name, value=quote(value), names=", ".join(map(str, choices)),
                )  # fmt: skip
