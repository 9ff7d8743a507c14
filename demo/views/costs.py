"""The table of costs: counted and measured per model, and accuracy with its source."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from transxnet.backbones.spec import BackboneSpec
from transxnet.draw.text import number
from transxnet.study import Study
from transxnet.weights.sources import BUNDLED

from ..cells import Json
from ..columns import Column
from ..i18n.translate import tr, tr_group
from ..published import published
from ..timing import Run

MEASURED = ("time", "activations")  # rows that need a timed run


def costs(columns: Sequence[Column], timings: Run | None) -> Json:
    """A table with one column per finished model.

    Args:
        columns: One per model.
        timings: By model; None while they are measured, empty if they cannot be measured.
    """
    finished = [column for column in columns if column.study is not None and column.cost is not None]
    first = finished[0] if finished else None
    rows = {  # row -> for each model the lines of its cell, the number first
        "parameters": [[tr("costs.millions", amount=f"{c.cost.parameters / 1e6:.2f}")] for c in finished],
        "macs": [[tr("costs.gmacs", amount=f"{c.cost.macs / 1e9:.3g}")] for c in finished],
        "time": [_time(c, first, timings) for c in finished],
        "weights": [[_megabytes(c.cost.weights)] for c in finished],
        "activations": [_activations(c, timings) for c in finished],
        "size": [[tr("costs.pixels", side=c.study.spec.image_size)] for c in finished],
        "accuracy": [accuracy(c.study) for c in finished],
    }
    passes = {timings[c.name].passes for c in finished} if timings else set()
    note = tr("costs.note", passes=max(passes)) if passes else tr("costs.note_counted")
    return {
        "title": tr("costs.title"), "sub": tr("costs.hint"), "measuring": timings is None,
        "head": [column.title for column in finished], "variants": [column.name for column in finished],
        "rows": [{"key": key, "title": tr_group("costs.row_")[key], "cells": cells} for key, cells in rows.items()],
        "note": note,
    }  # fmt: skip


def _time(column: Column, first: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [tr("costs.measuring" if timings is None else "costs.not_measured")]
    seconds, first_seconds = timings[column.name].seconds, timings[first.name].seconds
    lines = [tr("costs.milliseconds", amount=number(1000 * seconds))]
    if column is not first:
        lines.append(tr("costs.times", ratio=number(round(seconds / first_seconds, 2)), first=first.title))
    return lines


def _activations(column: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [tr("costs.measuring" if timings is None else "costs.not_measured")]
    return [_megabytes(timings[column.name].activations)]


def _megabytes(count: int) -> str:
    return tr("costs.megabytes", amount=number(count / 1e6))


def accuracy(study: Study) -> list[str]:
    """Top-1 accuracy and its source (card of bundled weights, paper, timm), or why there is none."""
    if study.untrained:
        return [tr("costs.accuracy_random")]
    if study.provenance.kind == "bundled" and (measured := _card(study.spec.name).get("accuracy")):
        source = tr("costs.accuracy_card", images=f"{measured['pictures']:,}", side=measured["image_size"])
        return [_top1(100 * measured["top1"]), source]
    if study.spec.paper is not None:
        return [_top1(study.spec.paper.top1), tr("costs.accuracy_paper")]
    if isinstance(study.spec, BackboneSpec) and (top1 := _by_timm(study.spec)) is not None:
        return [_top1(top1), tr("costs.accuracy_timm")]
    return [tr("costs.accuracy_unknown")]


def _top1(percent: float) -> str:
    return tr("costs.top1", top1=f"{percent:.1f}")


def _by_timm(spec: BackboneSpec) -> float | None:
    name = f"{spec.architecture}.{spec.tag}"
    return next((row.top1 for row in published() if row.by_timm and row.name == name), None)


@cache
def _card(name: str) -> Json:
    """Model card of a bundled checkpoint; empty if there is none."""
    file = BUNDLED / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
