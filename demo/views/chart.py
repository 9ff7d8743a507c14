"""Published accuracy against cost, for js/chart.js: every point with its source, those on the page marked."""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.backbones.spec import BackboneSpec

from ..captions import compare as words
from ..captions.page import AND
from ..cells import Json
from ..columns import Column
from ..languages import say
from ..published import Published, published

OWN = "TransXNet"
SMALL = "tiny-imagenet-200"  # a label set whose accuracies do not belong beside ImageNet's


def chart(columns: Sequence[Column]) -> Json:
    """points: [name, model, family, pixels, parameters, GMACs, top-1, ImageNet-V2, sources, by timm, title here].

    sources of a point: [index into `sources`, remark]. title here: of the variant on the page, '' for all others.
    """
    rows, here = published(), _here(columns)
    sources = list(dict.fromkeys((source.url, source.words) for row in rows for source in row.sources))
    number_of = {url: i for i, (url, _) in enumerate(sources)}
    return {
        "title": say(words.CHART), "sub": say(words.CHART_HINT), "sources": sources, "own": OWN,
        "points": [
            [
                row.name, row.model, row.family, row.resolution, row.params_m, row.gmacs, row.top1, row.v2_top1,
                [[number_of[s.url], s.remark] for s in row.sources], row.by_timm, here.get(row.name, ""),
            ]
            for row in rows
        ],
        "words": _words(columns), "instead": "" if rows else say(words.CHART_MISSING),
    }  # fmt: skip


def _here(columns: Sequence[Column]) -> dict[str, str]:
    """Name of a published row -> title of the variant on the page that it is about."""
    return {row.name: column.title for column in columns if (row := _row_of(column)) is not None}


def _row_of(column: Column) -> Published | None:
    """Weights that are random have no accuracy of their own, so they mark no point."""
    if column.study is None or column.study.untrained:
        return None
    spec = column.study.spec
    if isinstance(spec, BackboneSpec):
        wanted = f"{spec.architecture}.{spec.tag}"
    else:
        wanted = f"{OWN} {spec.short.upper().replace('_', '@')}" if spec.paper else ""
    return next((row for row in published() if row.name == wanted), None)


def _words(columns: Sequence[Column]) -> Json:
    def said(table: dict[str, str]) -> Json:
        return {key: say(text) for key, text in table.items()}

    trained = [column for column in columns if column.study is not None and not column.study.untrained]
    absent = [column.title for column in trained if column.study.spec.label_set == SMALL]
    told = say(words.CHART_ABSENT if len(absent) == 1 else words.CHART_ABSENT_MORE) if absent else ""
    return {
        "sets": [say(words.CHART_SETS), said(words.CHART_SET)], "axes": [say(words.CHART_AXES), said(words.CHART_AXIS)],
        "sizes": [say(words.CHART_SIZES), said(words.CHART_SIZE)], "axis": said(words.CHART_AXIS_TITLE),
        "y": say(words.CHART_Y), "family": said(words.CHART_FAMILY), "here": say(words.CHART_HERE),
        "note": say(words.CHART_NOTE).format(absent=told.format(names=say(AND).join(absent))).strip(),
        "alt": say(words.CHART_ALT), "position": say(words.CHART_POINT), "v2": say(words.CHART_V2),
        "source": say(words.CHART_SOURCE), "table": say(words.CHART_TABLE),
        "head": [say(text) for text in words.CHART_TABLE_HEAD],
    }  # fmt: skip
