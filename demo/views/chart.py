"""Published accuracy vs. cost for the chart of tab Compare; selected models are marked."""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.backbones.spec import BackboneSpec

from ..cells import Json
from ..columns import Column
from ..i18n.translate import tr, tr_group
from ..published import Published, published

HIGHLIGHTED_FAMILY = "TransXNet"
SMALL = "tiny-imagenet-200"  # label set whose accuracies are not comparable with ImageNet-1K's


def chart(columns: Sequence[Column]) -> Json:
    """The chart as JSON.

    A point is [name, model, family, pixels, parameters, GMACs, top-1, ImageNet-V2, sources, measured by timm, title].
    Its sources are [index into `sources`, remark]; its title is '' unless the model is selected on the page.
    """
    rows, titles = published(), _titles_on_page(columns)
    sources = list(dict.fromkeys((source.url, source.label) for row in rows for source in row.sources))
    number_of = {url: i for i, (url, _) in enumerate(sources)}
    return {
        "title": tr("chart.title"), "sub": tr("chart.hint"), "sources": sources, "own": HIGHLIGHTED_FAMILY,
        "points": [
            [
                row.name, row.model, row.family, row.resolution, row.params_m, row.gmacs, row.top1, row.v2_top1,
                [[number_of[s.url], s.remark] for s in row.sources], row.by_timm, titles.get(row.name, ""),
            ]
            for row in rows
        ],
        "strings": _text(columns), "instead": "" if rows else tr("chart.missing"),
    }  # fmt: skip


def _titles_on_page(columns: Sequence[Column]) -> dict[str, str]:
    """Name of a published row -> title of the selected model it describes."""
    return {row.name: column.title for column in columns if (row := _row_of(column)) is not None}


def _row_of(column: Column) -> Published | None:
    """The published row of a column's model; None for random weights."""
    if column.study is None or column.study.untrained:
        return None
    spec = column.study.spec
    if isinstance(spec, BackboneSpec):
        name = f"{spec.architecture}.{spec.tag}"
    else:
        name = f"{HIGHLIGHTED_FAMILY} {spec.short.upper().replace('_', '@')}" if spec.paper else ""
    return next((row for row in published() if row.name == name), None)


def _text(columns: Sequence[Column]) -> Json:
    trained = [column for column in columns if column.study is not None and not column.study.untrained]
    absent = [column.title for column in trained if column.study.spec.label_set == SMALL]
    names = tr("page.and_join").join(absent)
    not_drawn = tr("chart.absent", count=len(absent), names=names) if absent else ""
    timm_rows = sum(row.has_gmacs_of_timm for row in published())
    return {**tr_group("chart."), "note": tr("chart.note", timm=timm_rows, absent=not_drawn).strip()}
