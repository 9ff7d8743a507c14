"""What the variants cost, side by side: counted, measured here, and how good they are, with who says so."""

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
from ..i18n.translate import tr
from ..published import published
from ..timing import Run

MEASURED = ("time", "activations")  # rows that need a run

ROWS = {  # row -> key of its title
    "parameters": "costs.row_parameters", "macs": "costs.row_macs", "time": "costs.row_time",
    "weights": "costs.row_weights", "activations": "costs.row_activations", "size": "costs.row_size",
    "accuracy": "costs.row_accuracy",
}  # fmt: skip


def costs(columns: Sequence[Column], timings: Run | None) -> Json:
    """A table with one column a variant; what is counted stands at once.

    timings: None while they are measured, empty where they cannot be.
    """
    there = [column for column in columns if column.study is not None and column.cost is not None]
    first = there[0] if there else None
    rows = {  # key -> for each variant what stands in its cell, a number first, what is said of it below
        "parameters": [[tr("costs.millions", amount=f"{c.cost.parameters / 1e6:.2f}")] for c in there],
        "macs": [[tr("costs.gmacs", amount=f"{c.cost.macs / 1e9:.3g}")] for c in there],
        "time": [_time(c, first, timings) for c in there],
        "weights": [[_megabytes(c.cost.weights)] for c in there],
        "activations": [_activations(c, timings) for c in there],
        "size": [[tr("costs.pixels", side=c.study.spec.image_size)] for c in there],
        "accuracy": [accuracy(c.study) for c in there],
    }
    passes = {timings[c.name].passes for c in there} if timings else set()
    note = tr("costs.note", passes=max(passes)) if passes else tr("costs.note_counted")
    return {
        "title": tr("costs.title"), "sub": tr("costs.hint"), "measuring": timings is None,
        "head": [column.title for column in there], "variants": [column.name for column in there],
        "rows": [{"key": key, "title": tr(ROWS[key]), "cells": cells} for key, cells in rows.items()],
        "note": note,
    }  # fmt: skip


def _time(column: Column, first: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [tr("costs.measuring" if timings is None else "costs.not_measured")]
    own, other = timings[column.name].seconds, timings[first.name].seconds
    told = [tr("costs.milliseconds", amount=number(1000 * own))]
    if column is not first:
        told.append(tr("costs.times", ratio=number(round(own / other, 2)), first=first.title))
    return told


def _activations(column: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [tr("costs.measuring" if timings is None else "costs.not_measured")]
    return [_megabytes(timings[column.name].activations)]


def _megabytes(count: int) -> str:
    return tr("costs.megabytes", amount=number(count / 1e6))


def accuracy(study: Study) -> list[str]:
    """Top-1 and who says so: the card of bundled weights, the paper, timm; or why there is none."""
    if study.untrained:
        return [tr("costs.accuracy_random")]
    if study.provenance.kind == "bundled" and (found := _card(study.spec.name).get("accuracy")):
        told = tr("costs.accuracy_card", images=f"{found['pictures']:,}", side=found["image_size"])
        return [_top1(100 * found["top1"]), told]
    if study.spec.paper is not None:
        return [_top1(study.spec.paper.top1), tr("costs.accuracy_paper")]
    if isinstance(study.spec, BackboneSpec) and (found := _by_timm(study.spec)) is not None:
        return [_top1(found), tr("costs.accuracy_timm")]
    return [tr("costs.accuracy_unknown")]


def _top1(percent: float) -> str:
    return tr("costs.top1", top1=f"{percent:.1f}")


def _by_timm(spec: BackboneSpec) -> float | None:
    wanted = f"{spec.architecture}.{spec.tag}"
    return next((row.top1 for row in published() if row.by_timm and row.name == wanted), None)


@cache
def _card(name: str) -> Json:
    """What is known about a bundled checkpoint; empty where its card is not there."""
    file = BUNDLED / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
