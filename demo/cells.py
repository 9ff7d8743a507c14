"""Pieces of the page as JSON for the browser: cells, headings, rows, scales, images, and what the side panel shows.

A cell's kind is map (a raw map over the image), tiles (small grids), bars, text, pending or error. Arrays are base64
float32, so that the browser draws and reads out raw values.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from math import ceil
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
from transxnet.draw.text import percent
from transxnet.errors import NoWeights
from transxnet.explain.kernels.kernels import REPRESENTATIVE_COUNT, representatives
from transxnet.images import SourceImage
from transxnet.results import Geometry
from transxnet.study import Study
from transxnet.variants import UNTRAINED

from .columns import Column, model_title
from .i18n.translate import source_name, tr, tr_group, tr_lines, tr_message

Json = dict[str, Any]
SHARP = 352  # longest side in pixels of the image under a map; the browser draws at this size
TILES = REPRESENTATIVE_COUNT  # kernels shown, as in files
PREVIEW_SIDE, THUMBNAIL_SIDE = 720, 224

DATASETS = {"tiny-imagenet-200": "Tiny-ImageNet", "imagenet-1k": "ImageNet-1K"}  # label set -> its dataset
STALLED_AFTER = 6.0  # seconds without data after which a download is reported as stalled


def transposed(
    columns: Sequence[Column], aspects: Sequence[tuple[str, str, Json | None, Callable[[Column], Json]]], part: str = ""
) -> Json:
    """A layout with one column per model and one row per aspect.

    Args:
        columns: One per model.
        aspects: (title, subtitle, scale, function from a column to its cell) of every row.
        part: Analysis that all aspects show; a model without it gets its reason in the first row.
    """
    heads = [heading(c.title, cost_caption(c), None) | {"badge": c.badge, "more": weights_details(c)} for c in columns]
    rows = []
    for i, (title, subtitle, scale, cell) in enumerate(aspects):
        cells = []
        for column in columns:
            instead = unfinished(column) or [missing(column, part)]  # shown once, in the first row
            cells.append(cell(column) if instead[0] is None else instead[0] if i == 0 else {"kind": "text", "text": ""})
        rows.append(row(title, subtitle, cells, bar=scale and shared(scale, cells)))
    return {"layout": "columns", "heads": heads, "rows": rows}


def unfinished(column: Column) -> list[Json] | None:
    """The cell of a column without a study: progress or error; None if it has one."""
    if column.error is not None:
        attempts, remedy = [], tr_message(column.error.remedy)
        if isinstance(column.error, NoWeights):
            attempts = [[source_name(source), *map(tr_message, rest)] for source, *rest in column.error.attempts]
            remedy = tr("weights.none")
        text, actions = tr_message(column.error.what), recovery_actions(column)
        return [{"kind": "error", "text": text, "attempts": attempts, "remedy": remedy, "ways": actions}]
    return [pending(column)] if column.study is None else None


def recovery_actions(column: Column) -> list[Json]:
    """Buttons for a model that could not be loaded, and what each sends."""
    retry = {"text": tr("weights.try_again"), "send": {"retry": column.name}}
    replacements = [f"{column.name}@{UNTRAINED}"] if UNTRAINED not in column.name else []
    replacements += ["pico"] if column.name != "pico" else []
    return [
        retry,
        *(
            {"text": tr("weights.instead", title=model_title(name)), "send": {"instead": [column.name, name]}}
            for name in replacements
        ),
    ]


def pending(column: Column) -> Json:
    """The cell of an unfinished column: a sentence and the progress of its download or analysis.

    `stop` and `again` are labels of a button that stops a long computation or restarts it.
    """
    if column.stopped:
        stopped = {"text": tr("progress.stopped"), "again": tr("progress.start_again")}
        return {"kind": "pending", "variant": column.name, **stopped}
    return _progress_cell(column) | ({"stop": tr("progress.stop")} if column.long else {})


def _progress_cell(column: Column) -> Json:
    cell, download = {"kind": "pending", "variant": column.name}, column.arrival
    if column.steps is not None:
        part, step, total = column.steps
        text = tr_group("progress.step_").get(part, part)
        cell |= {"text": text, "share": step / (total or 1), "label": f"{text}, {column.title}"}
        done = tr("progress.steps", done=step, total=total)
        if column.seconds_left is not None:
            done = tr("progress.left", amount=done, seconds=_rounded(column.seconds_left))
        return cell | {"amount": done}
    if download is None or download.complete:
        return cell | {"text": tr("progress.working" if download is None else "progress.reading_weights")}
    if download.what:
        cell["text"] = tr("progress.downloading", what=download.what)
        cell |= {"share": download.share, "amount": amount(download.received, download.total)}
        cell["label"] = tr("progress.download_of", title=column.title)
    else:
        cell["text"] = tr("progress.looking_for_weights")
    if download.silent >= STALLED_AFTER:
        stalled = "progress.stalled" if download.received else "progress.no_answer"
        cell["stalled"] = tr(stalled, seconds=int(download.silent))
    return cell


def _rounded(seconds: float) -> int:
    """Up, and above ten in fives: an estimate that changes with every step says no more than that."""
    return ceil(seconds) if seconds <= 10 else 5 * ceil(seconds / 5)


def missing(column: Column, part: str) -> Json | None:
    """Cell with the reason why a model has no such analysis; None if it has."""
    reason = column.study.missing.get(part)
    name = column.study.spec.name  # shown by its title on the page
    return {"kind": "text", "text": tr_message(reason).replace(name, column.title)} if reason else None


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
            "origin": geometry.origin, "input_size": list(geometry.input_size),
        },
    }  # fmt: skip


def in_files(cell: Json, row: str, column: str) -> Json:
    """The cell with its place in a downloaded file (export_content.py): full screen, it can be downloaded alone."""
    return cell | ({"file": {"row": row, "column": column}} if cell["kind"] in ("map", "tiles") else {})


def highest(heatmap: np.ndarray) -> str:
    """Where a map has its maximum, for screen readers."""
    row, col = np.unravel_index(np.argmax(heatmap), heatmap.shape)
    places = tr_lines("maps.places")  # three by three
    return tr("maps.highest", where=places[3 * (3 * row // heatmap.shape[0]) + 3 * col // heatmap.shape[1]])


def result_cell(column: Column, name: str, caption: str = "", short: bool = False) -> Json:
    """The cell of one result in its map style.

    Args:
        column: With a study.
        name: Of the result in the study; of attention the mean over heads is shown.
        caption: Replaces the key numbers.
        short: Leave out layer and target.
    """
    if placeholder := missing(column, name):
        return placeholder
    result = getattr(column.study, name)
    alt = tr("maps.of", what=tr_message(MAP_STYLES[name].title), title=column.title)
    caption = caption or tr_message(key_numbers(result))
    if name == "kernels":
        channels = representatives(result, TILES)
        names = [tr("kernels.tile", channel=i + 1) for i in channels]
        cell = tiles_cell(result.kernels[channels], names, caption, alt, taps=True)
        return in_files(cell, name, column.name)
    exactly = tr_message(layer_and_target(result))
    if not short:
        caption = tr("maps.exactly", exactly=exactly, text=caption)
    elif name == "grad_cam" and column.study.target.note:  # another class than the column's heading says
        caption = f"{caption}. {tr_message(column.study.target.note)}"
    data = {"r50": result.numbers["r50"], "total": result.numbers["total"]} if name == "receptive_field" else {}
    values, geometry, position = displayed_values(result), result_geometry(result), marked_position(result)
    cell = map_cell(column, values, geometry, position, caption, f"{alt}, {exactly}", **data)
    return in_files(cell, name, column.name)


def tiles_cell(
    values: np.ndarray, names: Sequence[str], caption: str, alt: str, show: bool = False, taps: bool = False
) -> Json:
    """The cell of n small grids.

    Args:
        values: (n, rows, cols).
        names: Of the grids.
        caption: Below them.
        alt: For screen readers.
        show: Whether the names are shown below the grids.
        taps: Whether a value is a tap of a kernel; otherwise it is a unit of a map.
    """
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
    """The color bar of these cells with the number of models that share it."""
    count = sum(cell["kind"] in ("map", "tiles") for cell in cells)
    return bar | {"shared": shared_caption(count)}


def shared_caption(count: int) -> str:
    return tr("maps.shared", count=count) if count > 1 else ""


# ---- captions and numbers ----------------------------------------------------------------------------------


def result_scale(name: str, studies: Sequence[Study]) -> Json:
    """The scale that results of one kind share."""
    style = MAP_STYLES[name]
    results = [getattr(study, name) for study in studies if name not in study.missing]
    channels = [representatives(kernels, TILES).tolist() for kernels in results] if name == "kernels" else ()
    low, high = display_range(results, channels=channels) if results else (0.0, 0.0)
    return {
        "range": [low, high], "signed": style.signed, "root": style.root, "units": tr_message(style.units),
        "colormap": style.colormap, "clip": style.clip,
    }  # fmt: skip


def bars(study: Study) -> list[Json]:
    """Top-5 predictions; the target class is added if it is none of them."""
    target, keys = study.target, ("index", "wnid", "label")
    listed = [{key: getattr(top, key) for key in keys} | {"share": top.probability} for top in study.predictions.top]
    if listed and target.index not in [prediction["index"] for prediction in listed]:
        listed.append({key: getattr(target, key) for key in keys} | {"share": study.target_probability})
    return listed


def cost_caption(column: Column) -> str:
    """Parameters, multiply-adds and source of the weights. Times are measured in tab Compare (demo/timing.py)."""
    study, cost = column.study, column.cost
    if study is None:
        return ""
    note = "" if study.untrained else study.provenance.note  # random weights have a badge
    weights = tr("maps.weights", where=tr_message(study.provenance.short()), note=tr_message(note)).strip()
    if cost is None:
        return weights
    size = tr("maps.cost", parameters=f"{cost.parameters / 1e6:.1f}", macs=f"{cost.macs / 1e9:.2f}")
    return f"{size} {weights}".strip()


def weights_details(column: Column) -> str:
    """Location, revision, SHA-256 and note of the weights, for a tooltip."""
    if column.study is None:
        return ""
    provenance = column.study.provenance
    revision = f"\nrevision {provenance.revision}" if provenance.revision else ""
    location, note = tr_message(provenance.location), tr_message(provenance.note)
    return f"{location}{revision}\nSHA-256 {provenance.sha256}\n{note}".strip()


def amount(received: int, total: int) -> str:
    """Downloaded bytes as text: "12.3 of 51.2 MB"."""
    return tr(
        "progress.megabytes_of" if total else "progress.megabytes",
        done=f"{received / 1e6:.1f}",
        total=f"{total / 1e6:.1f}",
    )


def photo(study: Study, image: SourceImage) -> Json:
    """The input crop of a model from the source image at SHARP pixels (`src`), and the model input itself (`input`)."""
    height, width = study.crop.rgb.shape[:2]
    factor = SHARP / max(height, width)
    sharp = crop_source(image.rgb, study.crop.crop_box, (round(height * factor), round(width * factor)))
    return {"src": jpeg(sharp), "input": png(study.crop.rgb)}


def thumbnail(image: SourceImage) -> np.ndarray:
    """The central square of an image, uint8 (n, n, 3) with at most THUMBNAIL_SIDE pixels on each side."""
    height, width = image.rgb.shape[:2]
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    size = (min(side, THUMBNAIL_SIDE),) * 2
    box = (left, top, left + side, top + side)
    return np.asarray(Image.fromarray(image.rgb).resize(size, Image.Resampling.LANCZOS, box, reducing_gap=2))


def jpeg(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3), RGB -> a data URL, lossy."""
    return _image_url(rgb, "JPEG", quality=88)


def png(rgb: np.ndarray) -> str:
    """uint8 (H, W, 3), RGB -> a data URL, lossless."""
    return _image_url(rgb, "PNG")


def _image_url(rgb: np.ndarray, kind: str, **options: int) -> str:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return data_url(file.getvalue(), kind.lower())


def data_url(data: bytes, kind: str) -> str:
    """The bytes of an image file as a data URL. kind: "png" or "jpeg"."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def floats(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


# ---- side panel --------------------------------------------------------------------------------------------


def crosshair(
    image: SourceImage, key: str, position: tuple[int, int], columns: Sequence[Column], with_image: bool = True
) -> Json:
    """The image with its query position, and an outline for every model that sees only a part of it.

    Args:
        image: The image.
        key: By which the browser knows it.
        position: Column and row in pixels of the image.
        columns: The models' columns.
        with_image: Whether its pixels are sent; the browser may have them.
    """
    width, height = image.size
    crops: list[tuple[str, list[float]]] = []
    for column in columns:
        if column.study is not None:
            x0, y0, x1, y1 = column.study.crop.crop_box
            if x0 > 0.5 or y0 > 0.5 or x1 < width - 0.5 or y1 < height - 0.5:
                crops.append((column.title, [x0, y0, x1, y1]))
    cropping = [name for name, _ in crops]
    return {
        **({"src": _preview(image)} if with_image else {}),
        "key": key,
        "size": [width, height],
        "position": list(position),
        "crops": [{"name": name, "box": box} for name, box in crops],
        "alt": tr("page.crosshair_alt", width=width, height=height, x=position[0], y=position[1]),
        "role": tr("page.crosshair_role"),
        "back": tr("page.back"),
        "note": " ".join(filter(None, (_input_crops(cropping), *map(tr_message, image.notes)))),
    }


def _preview(image: SourceImage) -> str:
    """At most PREVIEW_SIDE pixels on each side, as a data URL."""
    width, height = image.size
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    size = round(width * scale), round(height * scale)
    return jpeg(np.asarray(Image.fromarray(image.rgb).resize(size, Image.Resampling.LANCZOS)))


def _input_crops(names: Sequence[str]) -> str:
    """Names the models that crop the image; '' if none does."""
    return tr("page.input_crops", count=len(names), names=tr("page.and_join").join(names)) if names else ""


def predictions(columns: Sequence[Column], notices: Sequence[str] = ()) -> Json:
    """Top-5 predictions of the first finished model, as bars that are also buttons. notices: follow the note."""
    first = next((c for c in columns if c.study is not None), None)
    if first is None:
        failed = [column.title for column in columns if column.error is not None]
        all_failed = bool(failed) and len(failed) == len(columns)
        note = tr("predictions.none", titles=tr("page.and_join").join(failed)) if all_failed else ""
        return {"predictions": [], "chosen": -1, "note": note, "warning": "", "weights": []}
    classes, dataset = len(first.study.predictions.probabilities), DATASETS.get(first.study.spec.label_set)
    values = {"title": first.title, "classes": f"{classes:,}"} | ({"dataset": dataset} if dataset else {})
    note = tr("predictions.classes_of" if dataset else "predictions.classes", **values)
    if not classes:
        note = tr("predictions.without_classifier", title=first.title)
    note = " ".join([note, *notices])
    return {
        "predictions": bars(first.study), "chosen": first.study.target.index, "note": note, "warning": warning(first),
        "weights": [weights_chip(column) for column in columns if column.study is not None],
    }  # fmt: skip


def weights_chip(column: Column) -> Json:
    """Source of a model's weights for the page header; `more` has all details."""
    where = "" if column.study.untrained else tr_message(column.study.provenance.origin)
    return {"title": column.title, "where": where, "more": weights_details(column)}


def warning(column: Column) -> str:
    """Warning that the image is out of distribution or the confidence low; '' if neither, or unknown."""
    ood = column.study.out_of_distribution
    if ood is None or not (ood.is_out_of_distribution or ood.is_low_confidence):
        return ""
    return tr(
        "predictions.out_of_distribution" if ood.is_out_of_distribution else "predictions.low_confidence",
        title=column.title,
        images=f"{ood.held_out_count:,}",
        nearer=percent(ood.nearer_share, 0),
        more=percent(1 - ood.less_confident_share, 0),
    )


def progress(columns: Sequence[Column]) -> Json:
    """Model -> the cell of its progress, for every unfinished column."""
    return {c.name: pending(c) for c in columns if not c.finished}
