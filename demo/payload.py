"""Studies -> what the browser draws: raw maps as base64 float32, with geometry, range, caption and numbers.

No colours and no pictures of maps are made here: the page's JavaScript does that from these numbers, so
opacity and colour map never come back to the server. The pieces are made in cells.py, the words are captions.py's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from PIL import Image

from transxnet.draw.views import LOOKS, what
from transxnet.images import Picture
from transxnet.study import Options, Study

from .captions import COMPUTED, FOOT, HELD_IN, INTRO, VIEWS, crop_note, crosshair_alt
from .cells import (
    TILES,
    Json,
    bars,
    cost_words,
    heading,
    jpeg,
    key_words,
    look_cell,
    look_scale,
    map_cell,
    missing,
    own_head,
    pending,
    percent,
    photo,
    row,
    scale,
    tiles_cell,
    transposed,
    unfinished,
    weights_words,
)
from .columns import Column
from .kernel_rows import kernel_rows
from .wanted import SLOWER

MORE_MAPS = ("contrast", "cam_stages", *SLOWER)  # that Grad-CAM's view shows when they were asked for
_serial = count(1)


def crosshair(picture: Picture, point: tuple[int, int], columns: Sequence[Column]) -> Json:
    """The one picture with the one crosshair, and an outline for every variant that sees only a part of it."""
    width, height = picture.size
    scale = min(1.0, 720 / max(width, height))
    small = Image.fromarray(picture.rgb).resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    crops = []
    for column in columns:
        if column.study is not None:
            x0, y0, x1, y1 = column.study.view.crop_box
            partial = x0 > 0.5 or y0 > 0.5 or x1 < width - 0.5 or y1 < height - 0.5
            crops.append((column.title, partial, [x0, y0, x1, y1]))
    return {
        "src": jpeg(np.asarray(small)),
        "size": [width, height],
        "point": list(point),
        "crops": [{"name": name, "box": box} for name, partial, box in crops if partial],
        "alt": crosshair_alt(width, height, *point),
        "note": " ".join(filter(None, (crop_note([c[:2] for c in crops]), picture.note))),
    }


def answers(columns: Sequence[Column]) -> Json:
    """The first variant's five best answers, as bars that are also buttons."""
    first = next((c for c in columns if c.study is not None), None)
    if first is None:
        return {"answers": [], "chosen": -1, "note": ""}
    note = f"{first.title} chooses among {len(first.study.prediction.probabilities)} classes."
    return {"answers": bars(first.study), "chosen": first.study.target.index, "note": note}


def progress(columns: Sequence[Column]) -> Json:
    """How far each column is that is not there yet: its cell of the view, by the variant's name."""
    return {c.name: pending(c) for c in columns if not c.finished}


def view(name: str, columns: Sequence[Column], picture: Picture, head: int | str = 0) -> Json:
    """The whole of one view for these variants. name: a key of captions.VIEWS."""
    rows = _VIEWS[name](columns, head)
    done = [c.study for c in columns if c.study is not None]
    sizes = " or ".join(sorted({f"{s.view.rgb.shape[1]} x {s.view.rgb.shape[0]}" for s in done})) or "few"
    return {
        "view": name,
        "serial": next(_serial),
        "intro": INTRO[name].format(shown=TILES),
        "foot": FOOT[name].format(sizes=sizes),
        "pictures": {c.name: photo(c.study, picture) for c in columns if c.study is not None},
        **rows,
    }


def _overview(columns: Sequence[Column], head: int | str) -> Json:
    done = [c.study for c in columns if c.study is not None]
    options = done[0].options if done else Options()
    subs = {
        "attention": f"OSRA, stage {options.stage}, mean of heads",
        "kernels": f"{TILES} that IDConv made for this picture, stage {options.stage}",
        "grad_cam": f"what raised {done[0].target.label if done else 'the answer'}, stage {options.cam_stage}",
        "receptive_field": f"of the crosshair's unit, stage {options.stage}",
    }
    heads = [heading(LOOKS[name].title, sub, look_scale(name, done)) for name, sub in subs.items()]
    rows = []
    for column in columns:
        cells = unfinished(column) or [look_cell(column, name, short=True) for name in subs]
        rows.append(row(column.title, cost_words(column), cells, badge=column.badge, more=weights_words(column)))
    return {"layout": "matrix", "heads": heads, "rows": rows}


def _answers(columns: Sequence[Column], head: int | str) -> Json:
    def cell(column: Column) -> Json:
        s = column.study
        return {"kind": "bars", "answers": bars(s), "chosen": s.target.index, "caption": s.target.note}

    return transposed(columns, [("", "", None, cell)])


def _attention(columns: Sequence[Column], head: int | str) -> Json:
    done = [c.study for c in columns if c.study is not None and not missing(c, "attention")]

    def small(column: Column) -> Json:
        a = column.study.attention
        names = [f"head {i + 1}" for i in range(len(a.heads))]
        words = ", ".join(f"{n} {e:.2f}" for n, e in zip(names, a.entropy, strict=True))
        return tiles_cell(a.heads, names, f"entropy: {words}", f"{len(names)} heads of {column.title}", show=True)

    large = scale([s.attention.head(own_head(s, head)) for s in done], "weight", "magma")
    every = scale([s.attention.heads for s in done], "weight", "magma")
    rows = [
        (
            "Over the picture",
            "what the unit under the crosshair mixes in",
            large,
            lambda c: look_cell(c, "attention", head),
        ),
        ("All heads", f"each {key_words(done)} keys, as they are", every, small),
    ]
    return transposed(columns, rows, "attention")


def _grad_cam(columns: Sequence[Column], head: int | str) -> Json:
    done = [c.study for c in columns if c.study is not None]

    def raw(column: Column) -> Json:
        e = column.study.grad_cam
        low, high = e.value_range
        words = f"{what(e)}: raw {low:.3g} to {high:.3g}, sum {e.heat.sum():.3g}, not normalised"
        return map_cell(column, e.heat, e.geometry, None, words, f"Raw Grad-CAM of {column.title}")

    signed = scale([s.grad_cam.heat for s in done], "logit", "RdBu_r", signed=True)
    rows = [
        ("Raised and lowered", "raw Grad-CAM", signed, raw),
        ("Raised only", LOOKS["grad_cam"].scaling, look_scale("grad_cam", done), lambda c: look_cell(c, "grad_cam")),
    ]
    return transposed(columns, rows + [_look_row(name, done) for name in MORE_MAPS if _asked(name, done)])


def _asked(name: str, done: Sequence[Study]) -> bool:
    return any(name in s.options.only for s in done)


def _look_row(name: str, done: Sequence[Study]) -> tuple[str, str, Json, Callable[[Column], Json]]:
    look = LOOKS[name]
    words = f"{look.shows} Drawn: {look.scaling}."
    return look.title, words, look_scale(name, done), lambda c: look_cell(c, name)


def _erf(columns: Sequence[Column], head: int | str) -> Json:
    done = [c.study for c in columns if c.study is not None]

    def cell(column: Column) -> Json:
        numbers = column.study.receptive_field.numbers
        areas = ", ".join(percent(numbers[f"r{t}"]) for t in (20, 30, 50, 99))
        words = HELD_IN.format(shares="20, 30, 50, 99 %", areas=areas)
        return look_cell(column, "receptive_field", words=words)

    scaling = LOOKS["receptive_field"].scaling
    return transposed(columns, [("Gradient at the unit", scaling, look_scale("receptive_field", done), cell)])


def _what_if(columns: Sequence[Column], head: int | str) -> Json:
    words = "the answer that the changes below start from"
    return transposed(columns, [("Untouched", words, None, lambda c: _answered(c, "what_if"))], "what_if")


def _trust(columns: Sequence[Column], head: int | str) -> Json:
    words = "the answer whose maps are tested"
    return transposed(columns, [("Tested", words, None, lambda c: _answered(c, "trust"))], "trust")


def _answered(column: Column, part: str) -> Json:
    s = column.study
    words = f"{s.target.label}, {percent(s.prediction.probabilities[s.target.index])}."
    took = COMPUTED.format(part=VIEWS[part], seconds=s.seconds[part]) if part in s.seconds else ""
    return {"kind": "text", "text": " ".join(filter(None, (words, took, s.target.note)))}


_VIEWS = {
    "overview": _overview, "answers": _answers, "attention": _attention,
    "kernels": kernel_rows, "grad_cam": _grad_cam, "erf": _erf,
    "what_if": _what_if, "trust": _trust,
}  # fmt: skip
