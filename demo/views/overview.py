"""The overview: one column a view, one row a variant, one color bar a column because the scale is shared."""

from __future__ import annotations

from transxnet.draw.views import MAP_STYLES
from transxnet.study import StudyOptions

from ..captions import page as words
from ..cells import TILES, Json, cost_words, heading, look_cell, look_scale, row, shared, unfinished, weights_words
from ..languages import retold, say
from .scene import Scene


def overview(scene: Scene) -> Json:
    done = scene.done
    options = done[0].options if done else StudyOptions()
    told = {
        "stage": options.stage, "cam_layer": options.cam_layer, "tiles": TILES,
        "answer": done[0].target.label if done else say(words.THE_ANSWER),
    }  # fmt: skip
    heads = [
        heading(retold(MAP_STYLES[name].title), say(sub).format(**told), look_scale(name, done))
        for name, sub in words.OVERVIEW.items()
    ]
    rows, table = [], []
    for column in scene.columns:
        cells = unfinished(column) or [look_cell(column, name, short=True) for name in words.OVERVIEW]
        table.append(cells)
        rows.append(row(column.title, cost_words(column), cells, badge=column.badge, more=weights_words(column)))
    for i, head in enumerate(heads):
        head["bar"] = shared(head["bar"], [cells[i] for cells in table if len(cells) == len(heads)])
    return {"layout": "matrix", "heads": heads, "rows": rows}
