"""What OSRA mixes into any place of the image: whole tables, so that the browser draws whatever is pointed at."""

from __future__ import annotations

from collections.abc import Iterable

from transxnet.draw.views import MAP_STYLES
from transxnet.results import Geometry
from transxnet.study import Study

from ..captions import attention as words
from ..cells import Json, missing, shared_words, transposed
from ..columns import Column
from ..languages import say
from ..tables import table_json, table_key
from .scene import Scene

PART = "block_table"


def attention(scene: Scene) -> Json:
    """rows: the block looked at over the image, its heads, the last block of every stage. A cell names its tables.

    tables: by key, None where this visitor's browser holds it already.
    """
    tables: dict[str, Json | None] = {}

    def named(study: Study, table) -> str:
        key = table_key(study, table)
        if key not in tables:
            tables[key] = None if key in scene.session.held else table_json(table)
        return key

    def large(column: Column) -> Json:
        s = column.study
        return {"kind": "attention", "variant": column.name, "title": column.title, "table": named(s, s.block_table)}

    def heads(column: Column) -> Json:
        return {"kind": "heads", "table": named(column.study, column.study.block_table)}

    def stages(column: Column) -> Json:
        s = column.study
        return {"kind": "stages", "variant": column.name, "tables": [named(s, table) for table in s.stage_tables]}

    rows = [
        (say(words.WAYS["from"]), _hints()["from"], None, large),
        (say(words.HEADS_TITLE), "", None, heads),
        (say(words.STAGES_TITLE), "", None, stages),
    ]
    found = transposed(scene.columns, rows, PART)
    done = [c.study for c in scene.columns if c.study is not None and not missing(c, PART)]
    return found | {
        "layout": "attention",
        "position": list(scene.session.position),
        "tables": tables,
        "words": _words(done),
    }


def _words(done: list[Study]) -> Json:
    """What js/attention.js says, in the visitor's language."""
    grids = {
        "from": _grids(s.block_table.keys for s in done),
        "to": _grids(s.block_table.queries for s in done),
    }
    heads_hints = {way: say(text).format(grid=grids[way]) for way, text in words.HEADS_HINTS.items()}
    return {
        "head": say(words.HEAD), "mean": say(words.MEAN), "max": say(words.LARGEST),
        "direction": say(words.DIRECTION), "ways": _said(words.WAYS), "hints": _hints(),
        "which": _said(words.WHICH), "captions": _said(words.CAPTIONS), "largest": _said(words.LARGEST_CAPTIONS),
        "layer": say(words.LAYER), "alt": say(words.ALT), "headsHints": heads_hints, "headName": say(words.HEAD_NAME),
        "stagesHint": say(words.STAGES_HINT), "stagesWhich": _said(words.STAGES_WHICH),
        "stageName": say(words.STAGE_NAME), "units": say(MAP_STYLES["attention"].units), "colormap": "magma",
        "shared": shared_words(len(done)),
    }  # fmt: skip


def _hints() -> dict[str, str]:
    """What a map shows, and what its marks are."""
    return {way: f"{text}. {say(words.MARKS)}" for way, text in _said(words.HINTS).items()}


def _said(texts: dict[str, str]) -> dict[str, str]:
    return {key: say(text) for key, text in texts.items()}


def _grids(geometries: Iterable[Geometry]) -> str:
    """ "7 x 7 or 4 x 4": columns by rows of every grid there is."""
    grids = sorted({geometry.grid for geometry in geometries})
    return say(words.OR).join(f"{cols} x {rows}" for rows, cols in grids)
