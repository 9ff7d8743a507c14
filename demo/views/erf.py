"""Tab Receptive field: the gradient of the unit at the query position with respect to the model input."""

from __future__ import annotations

from transxnet.draw.styles import MAP_STYLES
from transxnet.draw.text import percent

from ..cells import Json, missing, result_cell, result_scale, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_message


def erf(scene: Scene) -> Json:
    def cell(column: Column) -> Json:
        if placeholder := missing(column, "receptive_field"):
            return placeholder
        numbers = column.study.receptive_field.numbers
        areas = ", ".join(percent(numbers[f"r{t}"]) for t in (20, 30, 50, 99))
        caption = tr("erf.areas", shares="20, 30, 50, 99%", areas=areas)
        return result_cell(column, "receptive_field", caption)

    scaling = tr_message(MAP_STYLES["receptive_field"].scaling)
    row = (tr("erf.gradient"), scaling, result_scale("receptive_field", scene.studies), cell)
    return transposed(scene.columns, [row])
