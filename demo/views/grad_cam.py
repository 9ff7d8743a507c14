"""Which places of a stage's output raised or lowered the answer's score; other maps of the same question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transxnet.draw.styles import MAP_STYLES, layer_and_target
from transxnet.study import Study

from ..cells import Json, look_cell, look_scale, map_cell, scale, transposed
from ..columns import Column
from ..i18n.translate import tr, tr_message
from ..wanted import SLOWER
from .scene import Scene

MORE_MAPS = ("contrast", "cam_stages", *SLOWER)  # shown when they were asked for


def grad_cam(scene: Scene) -> Json:
    done = scene.studies

    def raw(column: Column) -> Json:
        e = column.study.grad_cam
        low, high = e.value_range
        numbers = {"low": f"{low:.3g}", "high": f"{high:.3g}", "sum": f"{e.heatmap.sum():.3g}"}
        told = tr("grad_cam.caption", exactly=tr_message(layer_and_target(e)), **numbers)
        return map_cell(column, e.heatmap, e.geometry, None, told, tr("grad_cam.alt", title=column.title))

    def raised(column: Column) -> Json:
        return look_cell(column, "grad_cam")

    signed = scale([s.grad_cam.heatmap for s in done], "logit", "RdBu_r", signed=True)
    rows = [
        (tr("grad_cam.signed"), tr("grad_cam.signed_hint"), signed, raw),
        (tr("grad_cam.positive"), tr_message(MAP_STYLES["grad_cam"].scaling), look_scale("grad_cam", done), raised),
    ]
    return transposed(scene.columns, rows + [_look_row(name, done) for name in MORE_MAPS if _asked(name, done)])


def _asked(name: str, done: Sequence[Study]) -> bool:
    return any(name in s.options.analyses for s in done)


def _look_row(name: str, done: Sequence[Study]) -> tuple[str, str, Json, Callable[[Column], Json]]:
    look = MAP_STYLES[name]
    told = tr("grad_cam.drawn", shows=tr_message(look.description), scaling=tr_message(look.scaling))
    return tr_message(look.title), told, look_scale(name, done), lambda c: look_cell(c, name)
