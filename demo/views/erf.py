"""The pixels on which the unit under the crosshair depends."""

from __future__ import annotations

from transxnet.draw.views import LOOKS

from ..captions import HELD_IN
from ..cells import Json, look_cell, look_scale, percent, transposed
from ..columns import Column
from .scene import Scene


def erf(scene: Scene) -> Json:
    done = scene.done

    def cell(column: Column) -> Json:
        numbers = column.study.receptive_field.numbers
        areas = ", ".join(percent(numbers[f"r{t}"]) for t in (20, 30, 50, 99))
        words = HELD_IN.format(shares="20, 30, 50, 99 %", areas=areas)
        return look_cell(column, "receptive_field", words=words)

    scaling = LOOKS["receptive_field"].scaling
    return transposed(scene.columns, [("Gradient at the unit", scaling, look_scale("receptive_field", done), cell)])
