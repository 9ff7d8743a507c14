"""The pieces of a view, as JSON for panel.js: cells, headings, rows, scales, photos.

A cell's kind is map (a raw map over the photo), tiles (small grids), bars, text, pending or error. Arrays
travel as base64 float32, so that the browser draws, and reads out, the raw values.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from transxnet.draw.overlay import crop_source
from transxnet.draw.scale import shared_range
from transxnet.draw.styles import (
    MAP_STYLES,
    display_range,
    displayed_values,
    key_numbers,
    layer_and_target,
    marked_position,
    result_geometry,
)
from transxnet.draw.text import number
from transxnet.errors import NoWeights
from transxnet.explain.kernels.kernels import REPRESENTATIVE_COUNT, representatives
from transxnet.images import SourceImage
from transxnet.results import Geometry
from transxnet.study import Study
from transxnet.variants import UNTRAINED

from .columns import Column, variant_title
from .i18n.translate import source_name, tr, tr_lines, tr_message

Json = dict[str, Any]
SHARP = 352  # longest side in pixels of the photo under a map; panel.js draws at this size
TILES = REPRESENTATIVE_COUNT  # kernels, here as in files
MAX = "max"  # of heads: the largest weight any of them gives
STEPS = {  # analysis -> key of what is being computed
    "sanity_checks": "progress.step_sanity_checks", "ablation_table": "progress.step_ablation_table",
    "erf_pathways": "progress.step_erf_pathways",
}  # fmt: skip
STALLED_AFTER = 6.0  # seconds without a byte after which a download is said to stand still


def transposed(
    columns: Sequence[Column], aspects: Sequence[tuple[str, str, Json | None, Callable[[Column], Json]]], part: str = ""
) -> Json:
    """One column a variant, one row an aspect (title, words, scale, cell of a column). part: what all aspects show."""
    heads = [heading(c.title, cost_words(c), None) | {"badge": c.badge, "more": weights_words(c)} for c in columns]
    rows = []
    for i, (title, told, scale, cell) in enumerate(aspects):
        cells = []
        for column in columns:
            instead = unfinished(column) or [missing(column, part)]  # said once, in the first row
            cells.append(cell(column) if instead[0] is None else instead[0] if i == 0 else {"kind": "text", "text": ""})
        rows.append(row(title, told, cells, bar=scale and shared(scale, cells)))
    return {"layout": "columns", "heads": heads, "rows": rows}


def unfinished(column: Column) -> list[Json] | None:
    """The cell that stands where a study will be, or would have been; None if it is there."""
    if column.error is not None:
        if not isinstance(column.error, NoWeights):
            found = {"text": tr_message(column.error.what), "attempts": [], "remedy": tr_message(column.error.remedy)}
            return [{"kind": "error", **found, "ways": ways_out(column)}]
        attempts = [[source_name(source), *map(tr_message, rest)] for source, *rest in column.error.attempts]
        found = {"text": tr_message(column.error.what), "attempts": attempts, "remedy": tr("weights.none")}
        return [{"kind": "error", **found, "ways": ways_out(column)}]
    return [pending(column)] if column.study is None else None


def ways_out(column: Column) -> list[Json]:
    """What can be done about a variant that could not be had: buttons, and what each sends to Page.acted."""
    again = [{"text": tr("weights.try_again"), "send": {"retry": column.name}}]
    others = [f"{column.name}@{UNTRAINED}"] if UNTRAINED not in column.name else []
    others += ["pico"] if column.name != "pico" else []
    return again + [
        {"text": tr("weights.instead", title=variant_title(other)), "send": {"instead": [column.name, other]}}
        for other in others
    ]


def pending(column: Column) -> Json:
    """What stands in an empty column: a sentence and, while weights arrive or steps are made, how far they are.

    stop, again: the words of a button that stops what takes long, or starts it again (js/downloads.js).
    """
    if column.stopped:
        return {
            "kind": "pending",
            "variant": column.name,
            "text": tr("progress.stopped"),
            "again": tr("progress.start_again"),
        }
    return _on_its_way(column) | ({"stop": tr("progress.stop")} if column.long else {})


def _on_its_way(column: Column) -> Json:
    a = column.arrival
    if column.steps is not None:
        part, done, total = column.steps
        told, amount_done = tr(STEPS[part]) if part in STEPS else part, tr("progress.steps", done=done, total=total)
        cell = {"kind": "pending", "variant": column.name, "text": told, "share": done / (total or 1)}
        return cell | {"amount": amount_done, "label": f"{told}, {column.title}"}
    if a is None or a.complete:
        return {
            "kind": "pending",
            "variant": column.name,
            "text": tr("progress.working" if a is None else "progress.reading_weights"),
        }
    text = tr("progress.downloading", what=a.what) if a.what else tr("progress.looking_for_weights")
    cell = {"kind": "pending", "variant": column.name, "text": text}
    if a.silent >= STALLED_AFTER:
        cell["stalled"] = tr("progress.stalled" if a.done else "progress.no_answer", seconds=int(a.silent))
    if a.what:
        label = tr("progress.download_of", title=column.title)
        cell |= {"share": a.share, "amount": amount(a.done, a.total), "label": label}
    return cell


def missing(column: Column, part: str) -> Json | None:
    """The sentence that stands where a part would be that this variant cannot give; None where it is there."""
    why = column.study.missing.get(part)
    own = column.study.spec.name  # which its column does not say
    return {"kind": "text", "text": tr_message(why).replace(own, column.title)} if why else None


def map_cell(
    column: Column,
    heatmap: np.ndarray,
    geometry: Geometry,
    marker: tuple[float, float] | None,
    caption: str,
    alt: str,
    **data: float,
) -> Json:
    return {
        "kind": "map", "image": column.name, "caption": caption, "alt": f"{alt}. {highest(heatmap)} {caption}",
        "box": list(geometry.crop_box), "position": list(marker) if marker else None,
        "data": {"variant": column.name} | {k: repr(float(v)) for k, v in {"peak": heatmap.max(), **data}.items()},
        "map": {
            "base64": floats(heatmap), "rows": heatmap.shape[0], "cols": heatmap.shape[1], "stride": geometry.stride,
            "origin": geometry.origin, "view": list(geometry.input_size),
        },
    }  # fmt: skip


def highest(heatmap: np.ndarray) -> str:
    """Where a map is highest, in words: for those who do not see it."""
    row, col = np.unravel_index(np.argmax(heatmap), heatmap.shape)
    places = tr_lines("maps.places")  # three by three
    return tr("maps.highest", where=places[3 * (3 * row // heatmap.shape[0]) + 3 * col // heatmap.shape[1]])


def look_cell(column: Column, name: str, head: int | str = 0, told: str = "", short: bool = False) -> Json:
    """One result as its look draws it, with what exactly and one number worth knowing."""
    result = getattr(column.study, name)
    title = tr_message(MAP_STYLES[name].title)
    if instead := missing(column, name):
        return instead
    if name == "kernels":
        channels = representatives(result, TILES)
        names = [tr("kernels.tile", channel=i + 1) for i in channels]
        alt = tr("maps.of", what=title, title=column.title)
        return tiles_cell(result.kernels[channels], names, tr_message(key_numbers(result)), alt, taps=True)
    head = own_head(column.study, head) if name == "attention" else 0
    one = 0 if head == MAX else head
    exactly = layer_and_target(result, one)
    exactly = exactly.replace("mean of", "largest of") if head == MAX else exactly
    exactly = tr_message(exactly)
    if not told:
        peak = tr("maps.peak", peak=number(result.head(MAX).max())) if head == MAX else ""
        told = peak or tr_message(key_numbers(result, head))
    if not short:
        told = tr("maps.exactly", exactly=exactly, text=told)
    data = {"r50": result.numbers["r50"], "total": result.numbers["total"]} if name == "receptive_field" else {}
    alt = f"{tr('maps.of', what=title, title=column.title)}, {exactly}"
    return map_cell(
        column, displayed_values(result, head), result_geometry(result), marked_position(result), told, alt, **data
    )


def tiles_cell(
    values: np.ndarray, names: Sequence[str], caption: str, alt: str, show: bool = False, taps: bool = False
) -> Json:
    """n small grids, (n, rows, cols). show: their names under them. taps: of kernels, not units of a map."""
    return {
        "kind": "tiles", "caption": caption, "alt": f"{alt}. {caption}",
        "data": {"peak": repr(float(np.abs(values).max()))},
        "tiles": {
            "base64": floats(values), "rows": values.shape[1], "cols": values.shape[2], "names": list(names),
            "show": show, "taps": taps,
        },
    }  # fmt: skip


def heading(title: str, sub: str, bar: Json | None) -> Json:
    return {"title": title, "sub": sub, "bar": bar}


def row(title: str, sub: str, cells: list[Json], badge: str = "", bar: Json | None = None, more: str = "") -> Json:
    return {"title": title, "sub": sub, "badge": badge, "bar": bar, "cells": cells, "more": more}


def scale(maps: Sequence[np.ndarray], units: str, colormap: str, signed: bool = False, root: bool = False) -> Json:
    low, high = shared_range(maps, signed)
    return {"range": [low, high], "signed": signed, "root": root, "units": tr_message(units), "colormap": colormap}


def shared(bar: Json, cells: Sequence[Json]) -> Json:
    """The bar of these cells, which says of how many variants' maps it is: its ends change when one comes or goes."""
    count = sum(cell["kind"] in ("map", "tiles") for cell in cells)
    return bar | {"shared": shared_words(count)}


def shared_words(count: int) -> str:
    return tr("maps.shared", count=count) if count > 1 else ""


# ---- numbers and words ----------------------------------------------------------------------------------


def look_scale(name: str, done: Sequence[Study], head: int | str = 0) -> Json:
    """The scale that results of one kind share."""
    look = MAP_STYLES[name]
    found = [getattr(s, name) for s in done if name not in s.missing]
    channels = [representatives(k, TILES).tolist() for k in found] if name == "kernels" else ()
    low, high = display_range(found, head, channels) if found else (0.0, 0.0)
    return {
        "range": [low, high], "signed": look.signed, "root": look.root, "units": tr_message(look.units),
        "colormap": look.colormap, "clip": look.clip,
    }  # fmt: skip


def own_head(s: Study, head: int | str) -> int | str:
    return head if head == MAX or head <= len(s.attention.heads) else 0


def bars(s: Study) -> list[Json]:
    listed = [{"index": a.index, "wnid": a.wnid, "label": a.label, "share": a.probability} for a in s.predictions.top]
    if s.target.index not in [a["index"] for a in listed]:  # an answer explained by name stands below the best five
        share = float(s.predictions.probabilities[s.target.index])
        listed.append({"index": s.target.index, "wnid": s.target.wnid, "label": s.target.label, "share": share})
    return listed


def cost_words(column: Column) -> str:
    """What is counted, and whose weights; no time: one traced pass says nothing (Compare measures, demo/timing.py)."""
    s, counted = column.study, column.cost
    if s is None:
        return ""
    note = "" if s.provenance.kind == "untrained" else s.provenance.note  # that it is untrained is said beside its name
    weights = tr("maps.weights", where=tr_message(s.provenance.short()), note=tr_message(note))
    if counted is None:
        return weights.strip()
    size = tr("maps.cost", parameters=f"{counted.parameters / 1e6:.1f}", macs=f"{counted.macs / 1e9:.2f}")
    return f"{size} {weights}".strip()


def weights_words(column: Column) -> str:
    """Where the weights come from, in full: shown when somebody points at the caption."""
    if column.study is None:
        return ""
    p = column.study.provenance
    commit = f"\nrevision {p.revision}" if p.revision else ""
    return f"{tr_message(p.location)}{commit}\nSHA-256 {p.sha256}\n{tr_message(p.note)}".strip()


def amount(done: int, total: int) -> str:
    """Bytes as a person reads them: "12.3 of 51.2 MB"."""
    return tr(
        "progress.megabytes_of" if total else "progress.megabytes", done=f"{done / 1e6:.1f}", total=f"{total / 1e6:.1f}"
    )


def share(p: float) -> str:
    """`percent` with a digit where a whole one would hide it: "35%", "4.1%", "< 0.1%"."""
    if p == 0:
        return "0%"
    if 0.0005 <= p < 0.0995:
        return f"{100 * p:.1f}%"
    return "< 0.1%" if p < 0.0005 else percent(p)


def percent(share: float) -> str:
    return tr("maps.not_a_number") if not np.isfinite(share) else f"{100 * share:.0f}%"


def photo(s: Study, image: SourceImage) -> Json:
    height, width = s.crop.rgb.shape[:2]
    scale = SHARP / max(height, width)
    sharp = crop_source(image.rgb, s.crop.crop_box, (round(height * scale), round(width * scale)))
    return {"src": jpeg(sharp), "seen": png(s.crop.rgb)}


def jpeg(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3) -> a data URL: for looking at."""
    return _image_url(rgb, "JPEG", quality=88)


def png(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3) -> a data URL, exact."""
    return _image_url(rgb, "PNG")


def _image_url(rgb: np.ndarray, kind: str, **options: int) -> str:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return data_url(file.getvalue(), kind.lower())


def data_url(data: bytes, kind: str) -> str:
    """An image's file of this kind, "png" or "jpeg", as an address."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def floats(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()
