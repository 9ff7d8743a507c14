"""Studies -> what the browser draws: raw maps as base64 float32, with geometry, range, caption and numbers.

No colours and no pictures of maps are made here: the page's JavaScript does that from these numbers, so
opacity and colour map never come back to the server. Words come from captions.py.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
from PIL import Image

from transxnet.draw.overlay import crop_view
from transxnet.draw.scale import shared_range
from transxnet.draw.views import LOOKS, geometry_of, range_of, shown, unit_of, what, worth_knowing
from transxnet.errors import NoWeights
from transxnet.explain.kernels import representatives
from transxnet.images import Picture
from transxnet.results import Geometry, KernelSet
from transxnet.study import Options, Study

from .captions import FOOT, INTRO, crop_note, crosshair_alt
from .columns import Column

Json = dict[str, Any]
SHARP = 352  # longest side in pixels of the photograph under a map; panel.js draws at this size
TILES = 12  # kernels shown
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
    return {"answers": _bars(first.study), "chosen": first.study.target.index, "note": note}


def view(name: str, columns: Sequence[Column], picture: Picture, point: tuple[int, int], head: int = 0) -> Json:
    """The whole of one view for these variants. name: a key of captions.VIEWS."""
    rows = _VIEWS[name](columns, point, head)
    done = [c.study for c in columns if c.study is not None]
    sizes = " or ".join(sorted({f"{s.view.rgb.shape[1]} x {s.view.rgb.shape[0]}" for s in done})) or "few"
    return {
        "view": name,
        "serial": next(_serial),
        "intro": INTRO[name].format(shown=TILES),
        "foot": FOOT[name].format(sizes=sizes),
        "pictures": {c.name: _photo(c.study, picture) for c in columns if c.study is not None},
        **rows,
    }


# ---- views ----------------------------------------------------------------------------------------------


def _overview(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    done = [c.study for c in columns if c.study is not None]
    options = done[0].options if done else Options()
    subs = {
        "attention": f"OSRA, stage {options.stage}, mean of heads",
        "kernels": f"{TILES} that IDConv made for this picture, stage {options.stage}",
        "grad_cam": f"what raised {done[0].target.label if done else 'the answer'}, stage {options.cam_stage}",
        "receptive_field": f"of the crosshair's unit, stage {options.stage}",
    }
    heads = [_head(LOOKS[name].title, sub, _look_scale(name, done)) for name, sub in subs.items()]
    rows = []
    for column in columns:
        cells = _unfinished(column) or [_cell(column, name, short=True) for name in subs]
        rows.append(_row(column.title, _cost_words(column), cells, badge=column.badge))
    return {"layout": "matrix", "heads": heads, "rows": rows}


def _answers(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    def cell(column: Column) -> Json:
        s = column.study
        return {"kind": "bars", "answers": _bars(s), "chosen": s.target.index, "caption": s.target.note}

    return _transposed(columns, [("", "", None, cell)])


def _attention(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    done = [c.study for c in columns if c.study is not None]

    def small(column: Column) -> Json:
        a = column.study.attention
        names = [f"head {i + 1}" for i in range(len(a.heads))]
        words = ", ".join(f"{n} {e:.2f}" for n, e in zip(names, a.entropy, strict=True))
        return _tiles_cell(a.heads, names, f"entropy: {words}", f"{len(names)} heads of {column.title}", show=True)

    large = _scale([s.attention.head(_own_head(s, head)) for s in done], "weight", "magma")
    every = _scale([s.attention.heads for s in done], "weight", "magma")
    rows = [
        (
            "Over the picture",
            "what the unit under the crosshair mixes in",
            large,
            lambda c: _cell(c, "attention", head),
        ),
        ("All heads", f"each {_key_words(done)} keys, as they are", every, small),
    ]
    return _transposed(columns, rows)


def _kernels(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    done = [c.study for c in columns if c.study is not None]
    picked = {id(s): representatives(s.kernels, TILES) for s in done}

    def aspect(values: Callable[[KernelSet], np.ndarray], words: Callable[[KernelSet], str], name: str) -> tuple:
        def cell(column: Column) -> Json:
            k, channels = column.study.kernels, picked[id(column.study)]
            names = [f"channel {i + 1}" for i in channels]
            return _tiles_cell(values(k)[channels], names, words(k), f"{name} of {column.title}")

        maps = [values(s.kernels)[picked[id(s)]] for s in done]
        return cell, _scale(maps, "weight", "RdBu_r", signed=True)

    kernel, kernel_scale = aspect(
        lambda k: k.kernels, lambda k: f"{what(k)}: {TILES} of {len(k.kernels)} channels", "Generated kernels"
    )
    change, change_scale = aspect(lambda k: k.kernels - k.static, worth_knowing, "Differences from the static kernels")
    gate, _ = aspect(
        lambda k: k.gates[0],
        lambda k: f"gate entropy {k.gate_entropy.mean():.3f} of 1 (1: static), {len(k.gates)} groups",
        "Gates of the first group",
    )
    gate_scale = {"range": [0.0, 1.0], "signed": False, "root": False, "units": "gate", "colormap": "viridis"}
    rows = [
        ("Generated kernels", "for this picture", kernel_scale, kernel),
        ("Difference from the static kernel", "generated minus uniform gates", change_scale, change),
        ("Gates of the first group", "the share each tap takes from learned kernel 1", gate_scale, gate),
    ]
    return _transposed(columns, rows)


def _grad_cam(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    done = [c.study for c in columns if c.study is not None]

    def raw(column: Column) -> Json:
        e = column.study.grad_cam
        low, high = e.value_range
        words = f"{what(e)}: raw {low:.3g} to {high:.3g}, sum {e.heat.sum():.3g}, not normalised"
        return _map_cell(column, e.heat, e.geometry, None, words, f"Raw Grad-CAM of {column.title}")

    signed = _scale([s.grad_cam.heat for s in done], "logit", "RdBu_r", signed=True)
    rows = [
        ("Raised and lowered", "raw Grad-CAM", signed, raw),
        ("Raised only", LOOKS["grad_cam"].scaling, _look_scale("grad_cam", done), lambda c: _cell(c, "grad_cam")),
    ]
    return _transposed(columns, rows)


def _erf(columns: Sequence[Column], point: tuple[int, int], head: int) -> Json:
    done = [c.study for c in columns if c.study is not None]

    def cell(column: Column) -> Json:
        numbers = column.study.receptive_field.numbers
        shares = ", ".join(f"{t} % within {_percent(numbers[f'r{t}'])}" for t in (20, 30, 50, 99))
        return _cell(column, "receptive_field", words=f"{shares} of the picture")

    scaling = LOOKS["receptive_field"].scaling
    return _transposed(columns, [("Gradient at the unit", scaling, _look_scale("receptive_field", done), cell)])


_VIEWS = {
    "overview": _overview, "answers": _answers, "attention": _attention,
    "kernels": _kernels, "grad_cam": _grad_cam, "erf": _erf,
}  # fmt: skip


# ---- cells ----------------------------------------------------------------------------------------------


def _transposed(
    columns: Sequence[Column], aspects: Sequence[tuple[str, str, Json | None, Callable[[Column], Json]]]
) -> Json:
    """One column a variant, one row an aspect (title, words, scale, cell of a column)."""
    heads = [_head(c.title, _cost_words(c), None) | {"badge": c.badge} for c in columns]
    rows = []
    for i, (title, words, scale, cell) in enumerate(aspects):
        cells = []
        for column in columns:
            unfinished = _unfinished(column)
            if unfinished is None:
                cells.append(cell(column))
            else:
                cells.append(unfinished[0] if i == 0 else {"kind": "text", "text": ""})
        rows.append(_row(title, words, cells, bar=scale))
    return {"layout": "columns", "heads": heads, "rows": rows}


def _unfinished(column: Column) -> list[Json] | None:
    """The cell that stands where a study will be, or would have been; None if it is there."""
    if column.error is not None:
        attempts = [list(a) for a in column.error.attempts] if isinstance(column.error, NoWeights) else []
        return [{"kind": "error", "text": column.error.what, "attempts": attempts, "remedy": column.error.remedy}]
    if column.study is None:
        return [{"kind": "pending", "text": column.waiting or "working"}]
    return None


def _map_cell(
    column: Column,
    heat: np.ndarray,
    geometry: Geometry,
    marker: tuple[float, float] | None,
    words: str,
    alt: str,
    **data: float,
) -> Json:
    return {
        "kind": "map", "picture": column.name, "caption": words, "alt": f"{alt}. {words}",
        "box": list(geometry.crop_box), "point": list(marker) if marker else None,
        "data": {"variant": column.name} | {k: repr(float(v)) for k, v in {"peak": heat.max(), **data}.items()},
        "map": {
            "base64": _floats(heat), "rows": heat.shape[0], "cols": heat.shape[1], "stride": geometry.stride,
            "origin": geometry.origin, "view": list(geometry.view_size),
        },
    }  # fmt: skip


def _cell(column: Column, name: str, head: int = 0, words: str = "", short: bool = False) -> Json:
    """One result as its look draws it, with what exactly and one number worth knowing."""
    result = getattr(column.study, name)
    title = LOOKS[name].title
    if name == "kernels":
        channels = representatives(result, TILES)
        names = [f"channel {i + 1}" for i in channels]
        return _tiles_cell(result.kernels[channels], names, worth_knowing(result), f"{title} of {column.title}")
    head = _own_head(column.study, head) if name == "attention" else 0
    words = words or worth_knowing(result, head)
    if not short:
        words = f"{what(result, head)}: {words}"
    data = {"r50": result.numbers["r50"], "total": result.numbers["total"]} if name == "receptive_field" else {}
    alt = f"{title} of {column.title}, {what(result, head)}"
    return _map_cell(column, shown(result, head), geometry_of(result), unit_of(result), words, alt, **data)


def _tiles_cell(values: np.ndarray, names: Sequence[str], words: str, alt: str, show: bool = False) -> Json:
    return {
        "kind": "tiles", "caption": words, "alt": f"{alt}. {words}",
        "data": {"peak": repr(float(np.abs(values).max()))},
        "tiles": {
            "base64": _floats(values), "rows": values.shape[1], "cols": values.shape[2], "names": list(names),
            "show": show,
        },
    }  # fmt: skip


def _head(title: str, sub: str, bar: Json | None) -> Json:
    return {"title": title, "sub": sub, "bar": bar}


def _row(title: str, sub: str, cells: list[Json], badge: str = "", bar: Json | None = None) -> Json:
    return {"title": title, "sub": sub, "badge": badge, "bar": bar, "cells": cells}


def _scale(maps: Sequence[np.ndarray], units: str, colormap: str, signed: bool = False, root: bool = False) -> Json:
    low, high = shared_range(maps, signed)
    return {"range": [low, high], "signed": signed, "root": root, "units": units, "colormap": colormap}


# ---- numbers and words ----------------------------------------------------------------------------------


def _look_scale(name: str, done: Sequence[Study], head: int = 0) -> Json:
    """The scale that results of one kind share."""
    look = LOOKS[name]
    found = [getattr(s, name) for s in done]
    channels = [representatives(k, TILES).tolist() for k in found] if name == "kernels" else ()
    low, high = range_of(found, head, channels) if found else (0.0, 0.0)
    return {
        "range": [low, high], "signed": look.signed, "root": look.root, "units": look.units, "colormap": look.colormap
    }  # fmt: skip


def _own_head(s: Study, head: int) -> int:
    return head if head <= len(s.attention.heads) else 0


def _bars(s: Study) -> list[Json]:
    listed = [{"index": a.index, "label": a.label, "share": a.probability} for a in s.prediction.top]
    if s.target.index not in [a["index"] for a in listed]:  # an answer explained by name stands below the best five
        share = float(s.prediction.probabilities[s.target.index])
        listed.append({"index": s.target.index, "label": s.target.label, "share": share})
    return listed


def _cost_words(column: Column) -> str:
    s = column.study
    if s is None:
        return ""
    size = f"{column.cost.parameters / 1e6:.1f} M parameters, {column.cost.macs / 1e9:.2f} GMACs" if column.cost else ""
    return f"{size}, {1000 * s.seconds['forward']:.0f} ms here. Weights: {s.provenance.short()}"


def _key_words(done: Sequence[Study]) -> str:
    grids = {s.attention.keys.grid for s in done}
    return " or ".join(f"{w} x {h}" for h, w in sorted(grids)) or "few"


def _percent(share: float) -> str:
    return "none" if not np.isfinite(share) else f"{100 * share:.0f} %"


def _photo(s: Study, picture: Picture) -> Json:
    height, width = s.view.rgb.shape[:2]
    scale = SHARP / max(height, width)
    sharp = crop_view(picture.rgb, s.view.crop_box, (round(height * scale), round(width * scale)))
    return {"src": jpeg(sharp), "seen": png(s.view.rgb)}


def jpeg(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3) -> a data URL: for looking at."""
    return _data_url(rgb, "JPEG", quality=88)


def png(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3) -> a data URL, exact."""
    return _data_url(rgb, "PNG")


def _data_url(rgb: np.ndarray, kind: str, **options: int) -> str:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def _floats(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
