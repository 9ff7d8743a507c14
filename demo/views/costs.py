"""What the variants cost, side by side: counted, measured here, and how good they are, with who says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

from transxnet.backbones.spec import BackboneSpec
from transxnet.draw.text import number
from transxnet.study import Study
from transxnet.weights.sources import BUNDLED

from ..captions import compare as words
from ..cells import Json
from ..columns import Column
from ..languages import say
from ..published import published
from ..timing import Run

MEASURED = ("time", "activations")  # rows that need a run


def costs(columns: Sequence[Column], timings: Run | None) -> Json:
    """A table with one column a variant; what is counted stands at once.

    timings: None while they are measured, empty where they cannot be.
    """
    there = [column for column in columns if column.study is not None and column.cost is not None]
    first = there[0] if there else None
    rows = {  # key -> for each variant what stands in its cell, a number first, what is said of it below
        "parameters": [[say(words.MILLIONS).format(amount=f"{c.cost.parameters / 1e6:.2f}")] for c in there],
        "macs": [[say(words.GMACS).format(amount=f"{c.cost.macs / 1e9:.3g}")] for c in there],
        "time": [_time(c, first, timings) for c in there],
        "weights": [[_megabytes(c.cost.weights)] for c in there],
        "activations": [_activations(c, timings) for c in there],
        "size": [[say(words.PIXELS).format(side=c.study.spec.image_size)] for c in there],
        "accuracy": [accuracy(c.study) for c in there],
    }
    passes = {timings[c.name].passes for c in there} if timings else set()
    note = say(words.COSTS_NOTE).format(passes=max(passes)) if passes else say(words.COSTS_NOTE_BARE)
    return {
        "title": say(words.COSTS), "sub": say(words.COSTS_HINT), "measuring": timings is None,
        "head": [column.title for column in there], "variants": [column.name for column in there],
        "rows": [{"key": key, "title": say(words.COST_ROWS[key]), "cells": cells} for key, cells in rows.items()],
        "note": note,
    }  # fmt: skip


def _time(column: Column, first: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [say(words.MEASURING if timings is None else words.NOT_MEASURED)]
    own, other = timings[column.name].seconds, timings[first.name].seconds
    told = [say(words.MILLISECONDS).format(amount=number(1000 * own))]
    if column is not first:
        told.append(say(words.TIMES).format(ratio=number(round(own / other, 2)), first=first.title))
    return told


def _activations(column: Column, timings: Run | None) -> list[str]:
    if not timings:
        return [say(words.MEASURING if timings is None else words.NOT_MEASURED)]
    return [_megabytes(timings[column.name].activations)]


def _megabytes(count: int) -> str:
    return say(words.MEGABYTES).format(amount=number(count / 1e6))


def accuracy(study: Study) -> list[str]:
    """Top-1 and who says so: the card of bundled weights, the paper, timm; or why there is none."""
    if study.untrained:
        return [say(words.ACCURACY_RANDOM)]
    if study.provenance.kind == "bundled" and (found := _card(study.spec.name).get("accuracy")):
        told = say(words.ACCURACY_CARD).format(images=f"{found['pictures']:,}", side=found["image_size"])
        return [_top1(100 * found["top1"]), told]
    if study.spec.paper is not None:
        return [_top1(study.spec.paper.top1), say(words.ACCURACY_PAPER)]
    if isinstance(study.spec, BackboneSpec) and (found := _by_timm(study.spec)) is not None:
        return [_top1(found), say(words.ACCURACY_TIMM)]
    return [say(words.ACCURACY_UNKNOWN)]


def _top1(percent: float) -> str:
    return say(words.TOP1).format(top1=f"{percent:.1f}")


def _by_timm(spec: BackboneSpec) -> float | None:
    wanted = f"{spec.architecture}.{spec.tag}"
    return next((row.top1 for row in published() if row.by_timm and row.name == wanted), None)


@cache
def _card(name: str) -> Json:
    """What is known about a bundled checkpoint; empty where its card is not there."""
    file = BUNDLED / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
