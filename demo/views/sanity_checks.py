"""The answer whose maps are tested; the tests themselves are drawn below (demo/figures.py)."""

from __future__ import annotations

from ..captions import COMPUTED, VIEWS
from ..captions.page import TESTED, TESTED_HINT
from ..cells import Json, share, transposed
from ..columns import Column
from ..languages import retold, say
from .scene import Scene


def sanity_checks(scene: Scene) -> Json:
    return transposed(scene.columns, [(say(TESTED), say(TESTED_HINT), None, _answered)], "sanity_checks")


def _answered(column: Column) -> Json:
    """The tested answer in words, and what testing took."""
    s = column.study
    words = f"{s.target.label}, {share(s.predictions.probabilities[s.target.index])}."
    took = (
        say(COMPUTED).format(part=say(VIEWS["sanity_checks"]), seconds=s.seconds["sanity_checks"])
        if "sanity_checks" in s.seconds
        else ""
    )
    return {"kind": "text", "text": " ".join(filter(None, (words, took, retold(s.target.note))))}
