"""Buttons that set a model without a part beside the one it was trained with: what changes without it?

The pairs are VariantSpec's siblings (transxnet/variants.py). A button is there when some source has both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import gradio as gr

PAIRS: dict[str, tuple[str, str]] = {  # key of what is missing -> the columns to show
    "page.without_generated_kernels": ("pico_matched", "pico_static"),
    "page.without_attention": ("pico_matched", "pico_noosra"),
    "page.without_STE": ("pico_matched", "pico_noste"),
}
SIBLINGS = frozenset(name for pair in PAIRS.values() for name in pair)


def pairs_of(names: Collection[str]) -> dict[str, tuple[str, str]]:
    """The pairs whose models are among `names`."""
    return {part: pair for part, pair in PAIRS.items() if set(pair) <= set(names)}


def part_buttons(pairs: Mapping[str, tuple[str, str]], words: Callable[[str], Any]) -> dict[gr.Button, tuple[str, str]]:
    """A button for every pair, in a row. words: text of a key in the visitor's language."""
    with gr.Row(elem_id="parts"):
        return {
            gr.Button(words(part), size="sm", elem_classes="part", min_width=60): pair for part, pair in pairs.items()
        }  # fmt: skip
