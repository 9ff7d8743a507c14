"""The overview: one column a view, one row a variant, one colour bar a column because the scale is shared."""

from __future__ import annotations

from transxnet.draw.views import LOOKS
from transxnet.study import Options

from ..cells import TILES, Json, cost_words, heading, look_cell, look_scale, row, unfinished, weights_words
from .scene import Scene


def overview(scene: Scene) -> Json:
    done = scene.done
    options = done[0].options if done else Options()
    subs = {
        "attention": f"OSRA, stage {options.stage}, mean of heads",
        "kernels": f"{TILES} that IDConv made for this picture, stage {options.stage}",
        "grad_cam": f"what raised {done[0].target.label if done else 'the answer'}, stage {options.cam_stage}",
        "receptive_field": f"of the crosshair's unit, stage {options.stage}",
    }
    heads = [heading(LOOKS[name].title, sub, look_scale(name, done)) for name, sub in subs.items()]
    rows = []
    for column in scene.columns:
        cells = unfinished(column) or [look_cell(column, name, short=True) for name in subs]
        rows.append(row(column.title, cost_words(column), cells, badge=column.badge, more=weights_words(column)))
    return {"layout": "matrix", "heads": heads, "rows": rows}
