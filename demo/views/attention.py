"""Tab Attention: whole attention tables, so that the browser can draw any query position without a request."""

from __future__ import annotations

from collections.abc import Iterable

from transxnet.draw.styles import MAP_STYLES
from transxnet.results import Geometry
from transxnet.results.quantized import QuantizedTable
from transxnet.study import Study

from ..cells import Json, missing, shared_caption, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_group, tr_message
from ..tables import table_json, table_key

PART = "block_table"


def attention(scene: Scene) -> Json:
    """Rows: the selected block over the image, its heads, the last block of every stage.

    Cells refer to tables by key; a table that the browser already has is None.
    """
    tables: dict[str, Json | None] = {}

    def key_of(study: Study, table: QuantizedTable) -> str:
        key = table_key(study, table)
        if key not in tables:
            tables[key] = None if key in scene.cached_tables else table_json(table)
        return key

    def large(column: Column) -> Json:
        s = column.study
        return {"kind": "attention", "variant": column.name, "title": column.title, "table": key_of(s, s.block_table)}

    def heads(column: Column) -> Json:
        return {"kind": "heads", "table": key_of(column.study, column.study.block_table)}

    def stages(column: Column) -> Json:
        s = column.study
        return {"kind": "stages", "variant": column.name, "tables": [key_of(s, table) for table in s.stage_tables]}

    rows = [
        (tr("attention.direction_from"), _with_marks("hint_from"), None, large),
        (tr("attention.heads_title"), "", None, heads),
        (tr("attention.stages_title"), "", None, stages),
    ]
    studies = [c.study for c in scene.columns if c.study is not None and not missing(c, PART)]
    return transposed(scene.columns, rows, PART) | {
        "layout": "attention",
        "position": list(scene.position),
        "tables": tables,
        "strings": _text(studies),
    }


def _text(studies: list[Study]) -> Json:
    """Text that the browser fills in, in the current locale."""
    keys = _grids(s.block_table.keys for s in studies)
    queries = _grids(s.block_table.queries for s in studies)
    return {
        **tr_group("attention."),
        "hint_from": _with_marks("hint_from"), "hint_to": _with_marks("hint_to"),
        "heads_hint_from": tr("attention.heads_hint_from", grid=keys),
        "heads_hint_to": tr("attention.heads_hint_to", grid=queries),
        "units": tr_message(MAP_STYLES["attention"].units), "colormap": "magma",
        "shared": shared_caption(len(studies)),
    }  # fmt: skip


def _with_marks(name: str) -> str:
    """What a map shows, and what its marks mean."""
    return f"{tr_group('attention.')[name]} {tr('attention.marks')}"


def _grids(geometries: Iterable[Geometry]) -> str:
    """ "7 × 7 or 4 × 4": columns by rows of every grid there is."""
    grids = sorted({geometry.grid for geometry in geometries})
    return tr("page.or_join").join(f"{cols} × {rows}" for rows, cols in grids)
