"""Which places of a stage's output raised or lowered the answer's score; other maps of the same question."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transxnet.draw.views import LOOKS, what
from transxnet.study import Study

from ..cells import Json, look_cell, look_scale, map_cell, scale, transposed
from ..columns import Column
from ..wanted import SLOWER
from .scene import Scene

MORE_MAPS = ("contrast", "cam_stages", *SLOWER)  # shown when they were asked for


def grad_cam(scene: Scene) -> Json:
    done = scene.done

    def raw(column: Column) -> Json:
        e = column.study.grad_cam
        low, high = e.value_range
        words = f"{what(e)}: raw {low:.3g} to {high:.3g}, sum {e.heat.sum():.3g}, not normalised"
        return map_cell(column, e.heat, e.geometry, None, words, f"Raw Grad-CAM of {column.title}")

    signed = scale([s.grad_cam.heat for s in done], "logit", "RdBu_r", signed=True)
    rows = [
        ("Raised and lowered", "raw Grad-CAM", signed, raw),
        ("Raised only", LOOKS["grad_cam"].scaling, look_scale("grad_cam", done), lambda c: look_cell(c, "grad_cam")),
    ]
    return transposed(scene.columns, rows + [_look_row(name, done) for name in MORE_MAPS if _asked(name, done)])


def _asked(name: str, done: Sequence[Study]) -> bool:
    return any(name in s.options.only for s in done)


def _look_row(name: str, done: Sequence[Study]) -> tuple[str, str, Json, Callable[[Column], Json]]:
    look = LOOKS[name]
    words = f"{look.shows} Drawn: {look.scaling}."
    return look.title, words, look_scale(name, done), lambda c: look_cell(c, name)
