"""The answer that the changes start from; what they change is drawn below (demo/figures.py)."""

from __future__ import annotations

from ..captions import COMPUTED, VIEWS
from ..cells import Json, percent, transposed
from ..columns import Column
from .scene import Scene


def what_if(scene: Scene) -> Json:
    words = "the answer that the changes below start from"
    return transposed(scene.columns, [("Untouched", words, None, lambda c: answered(c, "what_if"))], "what_if")


def answered(column: Column, part: str) -> Json:
    """The explained answer in words, and what computing this part took."""
    s = column.study
    words = f"{s.target.label}, {percent(s.prediction.probabilities[s.target.index])}."
    took = COMPUTED.format(part=VIEWS[part], seconds=s.seconds[part]) if part in s.seconds else ""
    return {"kind": "text", "text": " ".join(filter(None, (words, took, s.target.note)))}
