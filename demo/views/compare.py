"""The variants beside each other: what each answers."""

from __future__ import annotations

from ..cells import Json, bars, transposed
from ..columns import Column
from .scene import Scene


def compare(scene: Scene) -> Json:
    def cell(column: Column) -> Json:
        s = column.study
        return {"kind": "bars", "answers": bars(s), "chosen": s.target.index, "caption": s.target.note}

    return transposed(scene.columns, [("", "", None, cell)])
