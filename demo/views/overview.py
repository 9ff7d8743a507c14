"""Tab Overview: one column per view, one row per model, one shared scale per column."""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.draw.styles import MAP_STYLES
from transxnet.study import Study, StudyOptions

from ..cells import (
    TILES,
    Json,
    cost_caption,
    heading,
    result_cell,
    result_scale,
    row,
    shared,
    unfinished,
    weights_details,
)
from ..columns import Scene
from ..i18n.translate import tr, tr_message

COLUMNS = ("attention", "kernels", "grad_cam", "receptive_field")


def overview(scene: Scene) -> Json:
    heads = [
        heading(tr_message(MAP_STYLES[name].title), subtitle, result_scale(name, scene.studies))
        for name, subtitle in _subtitles(scene.studies).items()
    ]
    rows, table = [], []
    for column in scene.columns:
        cells = unfinished(column) or [result_cell(column, name, short=True) for name in COLUMNS]
        table.append(cells)
        rows.append(row(column.title, cost_caption(column), cells, badge=column.badge, more=weights_details(column)))
    for i, head in enumerate(heads):
        head["bar"] = shared(head["bar"], [cells[i] for cells in table if len(cells) == len(heads)])
    return {"layout": "matrix", "heads": heads, "rows": rows}


def _subtitles(studies: Sequence[Study]) -> dict[str, str]:
    """Column -> what exactly it shows."""
    options = studies[0].options if studies else StudyOptions()
    stage, cam_layer = options.stage, options.cam_layer
    label = studies[0].target.label if studies else tr("overview.prediction")
    counts = sorted({len(study.kernels.kernels) for study in studies if "kernels" not in study.missing})
    channels = tr("page.or_join").join(map(str, counts))
    return {
        "attention": tr("overview.column_attention", stage=stage),
        "kernels": (
            tr("overview.column_kernels", tiles=TILES, channels=channels, stage=stage) if counts
            else tr("overview.column_kernels_pending", tiles=TILES, stage=stage)
        ),
        "grad_cam": tr("overview.column_grad_cam", answer=label, cam_layer=cam_layer),
        "receptive_field": tr("overview.column_receptive_field", stage=stage),
    }  # fmt: skip
