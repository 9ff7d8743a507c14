"""Tab Sanity checks: the target class; the checks themselves are figures below (demo/figures.py)."""

from __future__ import annotations

from transxnet.draw.text import percent

from ..cells import Json, transposed
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_message

PART = "sanity_checks"


def sanity_checks(scene: Scene) -> Json:
    row = (tr("sanity_checks.tested"), tr("sanity_checks.tested_hint"), None, _target_cell)
    return transposed(scene.columns, [row], PART)


def _target_cell(column: Column) -> Json:
    """The target class and its probability."""
    study = column.study
    if study.target_probability is None:
        return {"kind": "text", "text": tr_message(study.missing.get(PART, ""))}
    sentences = [f"{study.target.label}, {percent(study.target_probability)}."]
    if study.target.note:
        sentences.append(tr_message(study.target.note))
    return {"kind": "text", "text": " ".join(sentences)}
