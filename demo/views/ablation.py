"""What if: parts switched off and a region painted out, the answers before and after (js/ablation.js draws it).

What changes one part at a time stands below, when it is asked for (demo/below.py, demo/figures.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from transxnet.errors import LensError
from transxnet.explain.ablation.masking import FILLS
from transxnet.explain.ablation.switches import HEAD_OFF, SWITCHES, read_switch
from transxnet.results.ablation import Ablation
from transxnet.study import Study

from ..cells import Json, cost_words, missing, png, share, unfinished, weights_words
from ..columns import Column
from ..i18n.translate import tr, tr_lines, tr_message
from .scene import Scene

SWITCH_TEXTS = {  # of transxnet.explain.ablation.switches -> keys of its name, and of what it does
    "uniform_gates": ("ablation.switch_uniform_gates", "ablation.switch_uniform_gates_hint"),
    "other_kernels": ("ablation.switch_other_kernels", "ablation.switch_other_kernels_hint"),
    "uniform_attention": ("ablation.switch_uniform_attention", "ablation.switch_uniform_attention_hint"),
    "no_idconv": ("ablation.switch_no_idconv", "ablation.switch_no_idconv_hint"),
    "no_osra": ("ablation.switch_no_osra", "ablation.switch_no_osra_hint"),
    "no_ste": ("ablation.switch_no_ste", "ablation.switch_no_ste_hint"),
    "head_off": ("ablation.switch_head_off", "ablation.switch_head_off_hint"),
}
FILL_NAMES = {"gray": "ablation.fill_gray", "blur": "ablation.fill_blur", "around": "ablation.fill_around"}


def ablation(scene: Scene) -> Json:
    return {
        "layout": "ablation",
        "switches": [_switch(name) for name in SWITCHES],
        "edits": list(scene.session.edits),
        "on": _on(scene.session.edits),
        "scopes": _scopes(scene.done),
        "painting": _painting(scene),
        "columns": [_column(column) for column in scene.columns],
        "words": {
            "switches": [tr("ablation.switch_title"), tr("ablation.switch_hint")],
            "off": tr("ablation.off"), "on": tr("ablation.on"), "head": tr("ablation.head"),
            "where": tr("ablation.scope"), "restore": tr("ablation.all_on"),
            "nothing": tr("ablation.nothing"), "every": tr("ablation.table"),
            "every_hint": tr("ablation.table_hint", seconds=tr("ablation.table_seconds")),
        },
    }  # fmt: skip


# ---- what can be asked ----------------------------------------------------------------------------------


def _switch(name: str) -> Json:
    title, hint = SWITCH_TEXTS[name]
    return {"name": name, "title": tr(title), "hint": tr(hint), "heads": name == HEAD_OFF}


def _on(edits: Sequence[str]) -> list[Json]:
    """Those that are on, as the page's rows have them. What cannot be read is said in the columns."""
    found = []
    for key in edits:
        with suppress(LensError):
            one = read_switch(key)
            place = (one.scope.stage, one.scope.block)
            found.append({"key": key, "name": one.name, "head": one.head, "scope": _scope(*place, 0)})
    return found


def _scopes(done: Sequence[Study]) -> list[Json]:
    """Where a switch may hold: everywhere, and the stage and the block chosen at the side. heads: so many there."""
    own = [s for s in done if any(s.spec.heads)]
    if not own:
        return [_scope(0, 0, 0)]
    stage = own[0].options.stage
    block = own[0].options.block or own[0].spec.depths[stage - 1]
    here = max(s.spec.heads[stage - 1] for s in own)
    return [_scope(0, 0, max(max(s.spec.heads) for s in own)), _scope(stage, 0, here), _scope(stage, block, here)]


def _scope(stage: int, block: int, heads: int) -> Json:
    text = "ablation.block" if block else "ablation.stage" if stage else "ablation.everywhere"
    return {"value": f"{stage}.{block}", "words": tr(text, stage=stage, block=block), "heads": heads}


def _painting(scene: Scene) -> Json | None:
    """The photo to paint on: what the first variant that is there sees of it. A mask lies over the whole of it."""
    column = next((column for column in scene.columns if column.study is not None), None)
    if column is None:
        return None
    s = column.study
    sizes = {c.title: _size(c.study) for c in scene.columns if c.study is not None}
    told = ", ".join(tr("ablation.pixels_of", size=size, title=title) for title, size in sizes.items())
    return {
        "image": column.name, "key": scene.session.image, "box": list(s.crop.crop_box),
        "upload": list(s.crop.source_size), "mask": scene.session.mask, "fill": scene.session.fill,
        "alt": tr("ablation.occlude_alt", title=column.title, share=share(s.ablation.painted if s.ablation else 0.0)),
        "fills": [{"value": name, "words": tr(FILL_NAMES[name])} for name in FILLS],
        "brushes": tr_lines("ablation.brushes"),
        "words": {
            "title": tr("ablation.occlude"), "hint": tr("ablation.occlude_hint"), "brush": tr("ablation.brush"),
            "undo": tr("ablation.undo"), "clear": tr("ablation.clear"), "fill": tr("ablation.fill"),
            "pixels": tr("ablation.pixels", sizes=told),
        },
    }  # fmt: skip


# ---- what became of it ----------------------------------------------------------------------------------


def _column(column: Column) -> Json:
    instead = unfinished(column) or [missing(column, "ablation")]
    return {
        "title": column.title, "sub": cost_words(column), "badge": column.badge, "more": weights_words(column),
        "cell": instead[0] or _tried(column, column.study.ablation),
    }  # fmt: skip


def _tried(column: Column, t: Ablation) -> Json:
    return {
        "kind": "ablation", "variant": column.name, "explained": t.explained[0].index,
        "changed": bool(t.changes) or t.painted > 0, "said": _said(column.title, t),
        "alt": tr("ablation.bars", title=column.title), "rows": _rows(t), "lines": _lines(column, t),
        "view": png(t.view) if t.painted else "",
        "given": tr("ablation.given", title=column.title, size=_size(column.study)),
    }  # fmt: skip


def _rows(t: Ablation) -> list[Json]:
    """The first five before and who entered them, and the explained class where it is neither."""
    pairs = list(zip(t.before, t.after, strict=True))
    if t.explained[0].index not in [old.index for old, _ in pairs]:
        pairs.append(t.explained)
    return [
        {
            "index": old.index, "label": old.label, "before": old.probability, "after": new.probability,
            "logits": [old.logit, new.logit],
            "shares": tr("ablation.row", before=share(old.probability), after=share(new.probability)),
            "logit": tr("ablation.logit_row", before=logit(old.logit), after=logit(new.logit)),
        }
        for old, new in pairs
    ]  # fmt: skip


def _said(title: str, t: Ablation) -> str:
    """What became of the explained answer, in a sentence."""
    old, new = t.explained
    said = tr(
        "ablation.said", title=title, label=old.label, before=share(old.probability), after=share(new.probability),
        logit_before=logit(old.logit), logit_after=logit(new.logit),
    )  # fmt: skip
    return f"{said} {tr('ablation.new_top', label=t.new_top.label)}" if t.new_top else said


def _lines(column: Column, t: Ablation) -> list[str]:
    note = tr_message(column.study.target.note)  # why another class is explained than the one asked for
    skipped = [tr("ablation.skipped", why=tr_message(why)) for why in dict.fromkeys(t.skipped.values())]
    lines = [note, *skipped] if note else skipped
    if t.painted_change is None:
        outside = _something(column.study.options.mask)
        return [*lines, tr("ablation.outside", title=column.title)] if outside else lines
    painted = {"share": share(t.painted), "label": t.explained[0].label, "change": change(t.painted_change)}
    lines.append(tr("ablation.occluded", **painted))
    if not len(t.elsewhere):
        return [*lines, tr("ablation.no_room")]
    mean, low, high = (change(float(found)) for found in (t.elsewhere.mean(), t.elsewhere.min(), t.elsewhere.max()))
    return [*lines, tr("ablation.elsewhere", mean=mean, n=len(t.elsewhere), low=low, high=high)]


def _something(mask: str) -> bool:
    """Whether any cell is painted: a region that was cleared is all zeros."""
    return bool(mask.partition(":")[2].strip("A="))


def logit(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def change(value: float) -> str:
    """With its sign: "+0.12", "−1.58"."""
    return f"{value:+.2f}".replace("-", "\u2212")


def _size(s: Study) -> str:
    height, width = s.crop.rgb.shape[:2]
    return f"{width} x {height}"
