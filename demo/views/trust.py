"""The answer whose maps are tested; the tests themselves are drawn below (demo/figures.py)."""

from __future__ import annotations

from ..cells import Json, transposed
from .scene import Scene
from .what_if import answered


def trust(scene: Scene) -> Json:
    words = "the answer whose maps are tested"
    return transposed(scene.columns, [("Tested", words, None, lambda c: answered(c, "trust"))], "trust")
