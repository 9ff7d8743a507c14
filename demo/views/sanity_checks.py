"""The answer whose maps are tested; the tests themselves are drawn below (demo/figures.py)."""

from __future__ import annotations

from ..cells import Json, share, transposed
from ..columns import Column
from ..i18n.translate import tr, tr_message
from .scene import Scene


def sanity_checks(scene: Scene) -> Json:
    return transposed(
        scene.columns, [(tr("sanity_checks.tested"), tr("sanity_checks.tested_hint"), None, _answered)], "sanity_checks"
    )


def _answered(column: Column) -> Json:
    """The tested answer in words, and what testing took."""
    s = column.study
    words = f"{s.target.label}, {share(s.predictions.probabilities[s.target.index])}."
    took = (
        tr("sanity_checks.computed", part=tr("tabs.sanity_checks"), seconds=s.seconds["sanity_checks"])
        if "sanity_checks" in s.seconds
        else ""
    )
    return {"kind": "text", "text": " ".join(filter(None, (words, took, tr_message(s.target.note))))}
