"""The answer whose maps are tested; the tests themselves are drawn below (demo/figures.py)."""

from __future__ import annotations

from ..captions import COMPUTED, VIEWS
from ..cells import Json, percent, transposed
from ..columns import Column
from .scene import Scene


def trust(scene: Scene) -> Json:
    words = "the answer whose maps are tested"
    return transposed(scene.columns, [("Tested", words, None, _answered)], "trust")


def _answered(column: Column) -> Json:
    """The tested answer in words, and what testing took."""
    s = column.study
    words = f"{s.target.label}, {percent(s.prediction.probabilities[s.target.index])}."
    took = COMPUTED.format(part=VIEWS["trust"], seconds=s.seconds["trust"]) if "trust" in s.seconds else ""
    return {"kind": "text", "text": " ".join(filter(None, (words, took, s.target.note)))}
