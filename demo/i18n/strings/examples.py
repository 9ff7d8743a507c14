"""Names of the example images."""

from __future__ import annotations

STRINGS = {
    "examples.cheetah": "cheetah",
    "examples.lion": "lion",
    "examples.tower": "tower",
    "examples.toy_figure": "toy figure",
    "examples.portrait": "portrait",
}
