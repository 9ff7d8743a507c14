"""The overview: one column a view, one row a variant, one color bar a column because the scale is shared."""

from __future__ import annotations

from transxnet.draw.views import MAP_STYLES
from transxnet.study import StudyOptions

from ..cells import TILES, Json, cost_words, heading, look_cell, look_scale, row, shared, unfinished, weights_words
from ..i18n.translate import tr, tr_message
from .scene import Scene

COLUMNS = {  # column -> key of what it shows
    "attention": "overview.column_attention", "kernels": "overview.column_kernels",
    "grad_cam": "overview.column_grad_cam", "receptive_field": "overview.column_receptive_field",
}  # fmt: skip


def overview(scene: Scene) -> Json:
    done = scene.done
    options = done[0].options if done else StudyOptions()
    told = {
        "stage": options.stage, "cam_layer": options.cam_layer, "tiles": TILES,
        "answer": done[0].target.label if done else tr("overview.prediction"),
    }  # fmt: skip
    heads = [
        heading(tr_message(MAP_STYLES[name].title), tr(sub, **told), look_scale(name, done))
        for name, sub in COLUMNS.items()
    ]
    rows, table = [], []
    for column in scene.columns:
        cells = unfinished(column) or [look_cell(column, name, short=True) for name in COLUMNS]
        table.append(cells)
        rows.append(row(column.title, cost_words(column), cells, badge=column.badge, more=weights_words(column)))
    for i, head in enumerate(heads):
        head["bar"] = shared(head["bar"], [cells[i] for cells in table if len(cells) == len(heads)])
    return {"layout": "matrix", "heads": heads, "rows": rows}
