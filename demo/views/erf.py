"""The pixels on which the unit under the crosshair depends."""

from __future__ import annotations

from transxnet.draw.styles import MAP_STYLES

from ..cells import Json, look_cell, look_scale, share, transposed
from ..columns import Column
from ..i18n.translate import tr, tr_message
from .scene import Scene


def erf(scene: Scene) -> Json:
    done = scene.studies

    def cell(column: Column) -> Json:
        numbers = column.study.receptive_field.numbers
        areas = ", ".join(share(numbers[f"r{t}"]) for t in (20, 30, 50, 99))
        told = tr("erf.areas", shares="20, 30, 50, 99%", areas=areas)
        return look_cell(column, "receptive_field", told=told)

    scaling = tr_message(MAP_STYLES["receptive_field"].scaling)
    return transposed(scene.columns, [(tr("erf.gradient"), scaling, look_scale("receptive_field", done), cell)])
