"""Tab Grad-CAM: signed and positive Grad-CAM of the target class, and other attribution maps on request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transxnet.draw.styles import MAP_STYLES, layer_and_target
from transxnet.explain.attribution.methods import MULTI_PASS_METHODS
from transxnet.study import Study

from ..cells import Json, in_files, map_cell, missing, result_cell, result_scale, scale, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_message

MORE_MAPS = ("contrast", "cam_stages", *MULTI_PASS_METHODS)  # shown on request


def grad_cam(scene: Scene) -> Json:
    studies = scene.studies

    def signed_cell(column: Column) -> Json:
        if placeholder := missing(column, "grad_cam"):
            return placeholder
        result = column.study.grad_cam
        low, high = result.value_range
        numbers = {"low": f"{low:.3g}", "high": f"{high:.3g}", "sum": f"{result.heatmap.sum():.3g}"}
        caption = tr("grad_cam.caption", exactly=tr_message(layer_and_target(result)), **numbers)
        alt = tr("grad_cam.alt", title=column.title)
        cell = map_cell(column, result.heatmap, result.geometry, None, caption, alt)
        return in_files(cell, "grad_cam_raw", column.name)

    heatmaps = [study.grad_cam.heatmap for study in studies if study.grad_cam is not None]
    signed = scale(heatmaps, MAP_STYLES["grad_cam"].units, "RdBu_r", signed=True)
    _, _, positive, positive_cell = _method_row("grad_cam", studies)
    rows = [
        (tr("grad_cam.signed"), tr("grad_cam.signed_hint"), signed, signed_cell),
        (tr("grad_cam.positive"), tr_message(MAP_STYLES["grad_cam"].scaling), positive, positive_cell),
    ]
    more = [name for name in MORE_MAPS if any(name in study.options.analyses for study in studies)]
    return transposed(scene.columns, rows + [_method_row(name, studies) for name in more])


def _method_row(name: str, studies: Sequence[Study]) -> tuple[str, str, Json, Callable[[Column], Json]]:
    style = MAP_STYLES[name]
    description = tr("grad_cam.drawn", shows=tr_message(style.description), scaling=tr_message(style.scaling))
    return tr_message(style.title), description, result_scale(name, studies), lambda c: result_cell(c, name)
