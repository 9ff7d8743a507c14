"""Tab Ablation: parts switched off and a region occluded, predictions before and after.

The table of all ablations is a figure below, drawn when it is requested (demo/figures.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from transxnet.draw.text import percent
from transxnet.explain.ablation.catalog import HEAD_OFF, SELECTABLE, parse_ablation
from transxnet.explain.ablation.masking import FILLS
from transxnet.results.ablation import Ablation
from transxnet.study import Study

from ..cells import Json, cost_caption, missing, png, unfinished, weights_details
from ..columns import Column, Scene
from ..i18n.translate import tr, tr_group, tr_lines, tr_message


def ablation(scene: Scene) -> Json:
    return {
        "layout": "ablation",
        "switches": [_switch(name) for name in SELECTABLE],
        "on": _active_switches(scene.state.ablations),
        "scopes": _scopes(scene.studies),
        "painting": _occlusion_editor(scene),
        "columns": [_column(column) for column in scene.columns],
        "strings": tr_group("ablation."),
    }


# ---- controls ----------------------------------------------------------------------------------


def _switch(name: str) -> Json:
    text = tr_group("ablation.switch_")
    return {"name": name, "title": text[name], "hint": text[f"{name}_hint"], "heads": name == HEAD_OFF}


def _active_switches(ablations: Sequence[str]) -> list[Json]:
    """The active switches for the page's rows."""
    active = []
    for key in ablations:
        switch = parse_ablation(key)
        stage_and_block = (switch.scope.stage, switch.scope.block)
        active.append({"key": key, "name": switch.name, "head": switch.head, "scope": _scope(*stage_and_block, 0)})
    return active


def _scopes(studies: Sequence[Study]) -> list[Json]:
    """Where a switch can apply: everywhere, in the selected stage, in the selected block; with the number of heads."""
    with_attention = [s for s in studies if any(s.spec.heads)]
    if not with_attention:
        return [_scope(0, 0, 0)]
    stage = with_attention[0].options.stage
    block = with_attention[0].options.block or with_attention[0].spec.depths[stage - 1]
    heads = max(s.spec.heads[stage - 1] for s in with_attention)
    return [
        _scope(0, 0, max(max(s.spec.heads) for s in with_attention)),
        _scope(stage, 0, heads),
        _scope(stage, block, heads),
    ]


def _scope(stage: int, block: int, heads: int) -> Json:
    text = "ablation.block" if block else "ablation.stage" if stage else "ablation.everywhere"
    return {"value": f"{stage}.{block}", "label": tr(text, stage=stage, block=block), "heads": heads}


def _occlusion_editor(scene: Scene) -> Json | None:
    """The input crop of the first finished model, to paint a mask on; the mask covers the whole crop."""
    column = next((column for column in scene.columns if column.study is not None), None)
    if column is None:
        return None
    study = column.study
    painted = study.ablation.masked_share if study.ablation else 0.0
    sizes = {c.title: _size(c.study) for c in scene.columns if c.study is not None}
    input_sizes = ", ".join(tr("ablation.pixels_of", size=size, title=title) for title, size in sizes.items())
    return {
        "image": column.name, "key": scene.image_key, "box": list(study.crop.crop_box),
        "upload": list(study.crop.source_size), "mask": scene.state.mask, "fill": scene.state.fill,
        "alt": tr("ablation.occlude_alt", title=column.title, share=percent(painted)),
        "fills": [{"value": name, "label": tr_group("ablation.fill_")[name]} for name in FILLS],
        "brushes": tr_lines("ablation.brushes"),
        "pixels": tr("ablation.pixels", sizes=input_sizes), "strings": tr_group("ablation."),
    }  # fmt: skip


# ---- results ----------------------------------------------------------------------------------


def _column(column: Column) -> Json:
    instead = unfinished(column) or [missing(column, "ablation")]
    return {
        "title": column.title, "sub": cost_caption(column), "badge": column.badge, "more": weights_details(column),
        "cell": instead[0] or _result_cell(column, column.study.ablation),
    }  # fmt: skip


def _result_cell(column: Column, result: Ablation) -> Json:
    return {
        "kind": "ablation", "variant": column.name, "target": result.target[0].index,
        "changed": bool(result.applied) or result.masked_share > 0, "summary": _summary(column.title, result),
        "alt": tr("ablation.bars", title=column.title), "rows": _rows(result), "lines": _lines(column, result),
        "crop": png(result.crop) if result.masked_share else "",
        "given": tr("ablation.given", title=column.title, size=_size(column.study)),
    }  # fmt: skip


def _rows(result: Ablation) -> list[Json]:
    """The top-5 classes before and after; the target class is added if it is none of them."""
    pairs = list(zip(result.predictions_before, result.predictions_after, strict=True))
    if result.target[0].index not in [old.index for old, _ in pairs]:
        pairs.append(result.target)
    return [
        {
            "index": old.index, "label": old.label, "before": old.probability, "after": new.probability,
            "logits": [old.logit, new.logit],
            "shares": tr("ablation.row", before=percent(old.probability), after=percent(new.probability)),
            "logit": tr("ablation.logit_row", before=logit(old.logit), after=logit(new.logit)),
        }
        for old, new in pairs
    ]  # fmt: skip


def _summary(title: str, result: Ablation) -> str:
    """The change of the target class in a sentence."""
    old, new = result.target
    summary = tr(
        "ablation.summary", title=title, label=old.label,
        before=percent(old.probability), after=percent(new.probability),
        logit_before=logit(old.logit), logit_after=logit(new.logit),
    )  # fmt: skip
    return f"{summary} {tr('ablation.new_top', label=result.new_top.label)}" if result.new_top else summary


def _lines(column: Column, result: Ablation) -> list[str]:
    note = tr_message(column.study.target.note)  # why another class than the requested one is explained
    skipped = [tr("ablation.skipped", why=tr_message(why)) for why in dict.fromkeys(result.skipped.values())]
    lines = [note, *skipped] if note else skipped
    if result.mask_effect is None:
        outside = _is_painted(column.study.options.mask)
        return [*lines, tr("ablation.outside", title=column.title)] if outside else lines
    painted = {
        "share": percent(result.masked_share),
        "label": result.target[0].label,
        "change": change(result.mask_effect),
    }
    lines.append(tr("ablation.occluded", **painted))
    if not len(result.control_effects):
        return [*lines, tr("ablation.no_room")]
    mean, low, high = (
        change(float(value))
        for value in (result.control_effects.mean(), result.control_effects.min(), result.control_effects.max())
    )
    return [*lines, tr("ablation.elsewhere", mean=mean, n=len(result.control_effects), low=low, high=high)]


def _is_painted(mask: str) -> bool:
    """Whether any cell of the mask is set; a cleared mask is all zeros."""
    return bool(mask.partition(":")[2].strip("A="))


def logit(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def change(value: float) -> str:
    """With its sign: "+0.12", "−1.58"."""
    return f"{value:+.2f}".replace("-", "\u2212")


def _size(study: Study) -> str:
    height, width = study.crop.rgb.shape[:2]
    return f"{width} × {height}"
