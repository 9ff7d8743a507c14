"""Tab Receptive field: the gradient of the unit at the query position with respect to the model input."""

from __future__ import annotations

from transxnet.draw.styles import MAP_STYLES

from ..cells import Json, result_cell, result_scale, share, transposed
from ..columns import Column
from ..i18n.translate import tr, tr_message
from .scene import Scene


def erf(scene: Scene) -> Json:
    def cell(column: Column) -> Json:
        numbers = column.study.receptive_field.numbers
        areas = ", ".join(share(numbers[f"r{t}"]) for t in (20, 30, 50, 99))
        caption = tr("erf.areas", shares="20, 30, 50, 99%", areas=areas)
        return result_cell(column, "receptive_field", caption)

    scaling = tr_message(MAP_STYLES["receptive_field"].scaling)
    row = (tr("erf.gradient"), scaling, result_scale("receptive_field", scene.studies), cell)
    return transposed(scene.columns, [row])
