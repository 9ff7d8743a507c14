"""A tab of the page as a file: PNG, SVG, NPZ or a report, each with its manifest. No gradio here.

    file = export("png", Asked(...))     # name, MIME type, bytes

A file holds no path of this machine and no name of a visitor's image, which is known by its SHA-256.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from transxnet.draw.compose import Cell, compose
from transxnet.draw.fonts import numbered_classes
from transxnet.errors import LensError, UnknownName, quote
from transxnet.export import files
from transxnet.export.axes import describe_arrays
from transxnet.export.images import class_numbers
from transxnet.export.manifest import as_text, html_with, manifest, png_with
from transxnet.export.map_file import class_name, file_stem, layer_name, map_file
from transxnet.export.records import npz, versions
from transxnet.export.rows import LARGEST, Row, Shot, available_head
from transxnet.images import SourceImage

from .export_content import Content, arrays_of, content_of
from .export_request import ChosenMap, ExportRequest, identity
from .i18n.translate import message, tr
from .state import TABS

TYPES = {"png": "image/png", "svg": "image/svg+xml", "npz": "application/zip", "html": "text/html"}
MIME_TYPES = TYPES | {"pdf": "application/pdf"}  # of a single map
LARGEST_PNG = 14_000_000  # bytes; a larger one is drawn again, smaller
SMALLEST, LARGEST_SIDE, PIXELS = 768, 2048, 24e6  # of a map's side; of all maps together
WITHOUT_MAPS = ("sequence", "live", "tour")  # tabs that have nothing to download here
LAYERED = ("overview", "attention", "kernels", "grad_cam", "erf", "compare")  # views of one layer
SVG_SIDE = 1024  # pixels of a map in an SVG, whose words are sharp at any size


@dataclass(frozen=True)
class File:
    """name: to save it under. kind: MIME type."""

    name: str
    kind: str
    data: bytes


# ---- the files ------------------------------------------------------------------------------------------------


def export(kind: str, request: ExportRequest) -> File:
    """Raises UnknownName for a kind that is none of TYPES, LensError where there is nothing to draw."""
    if kind not in TYPES:
        choose = f"Choose one of: {', '.join(TYPES)}."
        raise UnknownName(message("exports.no_format", name=quote(kind)), remedy=choose)
    return _file(request, kind, MAKERS[kind])


def export_map(chosen: ChosenMap, request: ExportRequest) -> File:
    """One map of the tab alone. Raises LensError where the tab has no such map."""

    def make(request: ExportRequest, content: Content, metadata: dict[str, Any]) -> bytes:
        row = next((row for row in content.rows if row.name == chosen.row), None)
        keys = content.keys(chosen.row)
        cell = row.cells[keys.index(chosen.column)] if row and chosen.column in keys else None
        if not isinstance(cell, Cell):
            raise LensError(message("exports.no_such_map"), remedy=message("exports.not_ready_remedy"))
        tone = request.display.style.tone
        title = f"{row.title}, {cell.title or content.shots[keys.index(chosen.column)].title}."
        scale = row.scale and replace(row.scale, tone=tone)
        metadata |= {"map": {"row": chosen.row, "column": chosen.column, **asdict(chosen.options)}}
        return map_file(cell, scale, title, metadata, chosen.options)

    return _file(request, chosen.options.format, make, chosen)


def _file(
    request: ExportRequest, kind: str, make: Callable[[ExportRequest, Content, dict[str, Any]], bytes],
    chosen: ChosenMap | None = None,
) -> File:  # fmt: skip
    if request.view not in TABS or request.view in WITHOUT_MAPS:
        raise LensError(message("exports.no_maps"), remedy=message("exports.no_maps_remedy"))
    if not request.shots:
        raise LensError(
            message("exports.not_ready", names=", ".join(request.left_out) or "The maps"),
            remedy=message("exports.not_ready_remedy"),
        )
    if request.view != "attention":  # the only one in which a head is chosen
        request = replace(request, display=replace(request.display, style=replace(request.display.style, head=0)))
    content = content_of(request)
    metadata = _manifest(request, content.rows, content.numbers)
    with numbered_classes(class_numbers([shot.study for shot in (*request.shots, *request.second)])):
        data = make(request, content, metadata)
    return File(f"{stem_of(request, chosen)}.{kind}", MIME_TYPES[kind], data)


def manifest_of(request: ExportRequest) -> dict[str, Any]:
    """What `export` puts into every file of this view."""
    content = content_of(request)
    return _manifest(request, content.rows, content.numbers)


def stem_of(request: ExportRequest, chosen: ChosenMap | None = None) -> str:
    """The name of the file without its extension: image, models, tab, map, layer, class.

    "lion-pico-attention-stage3-block2-lion"; an uploaded image is known by the first digits of its SHA-256.
    """
    study, row = request.shots[0].study, chosen.row if chosen else request.view
    models = [chosen.column] if chosen else dict.fromkeys(shot.study.model for shot in request.shots)
    images = [label or image.sha256[:12] for label, image in zip(request.labels, request.images, strict=True)]
    shown = request.compared if request.view == "compare" and not request.second else row
    layer = layer_name(study, shown) if request.view in LAYERED else ""
    return file_stem(*images, *models, *dict.fromkeys((request.view, row)), layer, class_name(study))


def _manifest(request: ExportRequest, rows: Sequence[Row], numbers: Mapping[str, Any]) -> dict[str, Any]:
    images = [
        identity(image) | {"example": label or None}
        for image, label in zip(request.images, request.labels, strict=True)
    ]
    studies = [shot.study for shot in (*request.shots, *request.second)]
    options = {"tab": request.view, **request.options, "models": [s.model for s in studies]}
    if request.view == "compare":
        options["compared"] = request.compared
    if request.view == "attention":
        options |= {"head": request.display.style.head or "mean", "direction": request.display.direction}
    more = {"numbers": numbers, "left_out": request.left_out, "link": request.link, "image_pixels": "model input"}
    if not request.display.model_resolution:
        more["image_pixels"] = "source image"
    return manifest(options, images, studies, [row.as_json() for row in rows], request.display.style, **more)


def _png(request: ExportRequest, content: Content, metadata: dict[str, Any]) -> bytes:
    """At the photo's own resolution; smaller where that would be a file too large to send."""
    cells = sum(len(row.cells) for row in content.rows) or 1
    side = int(min(_own_side(request), LARGEST_SIDE, max(SMALLEST, (PIXELS / cells) ** 0.5)))
    while True:
        page = compose(content.composition(metadata, request.display.style.tone), side)
        data = png_with(page.to_rgb(), {**metadata, "side": side}, page.dpi)
        if len(data) <= LARGEST_PNG or side <= SMALLEST // 2:
            return data
        side = int(side * 0.9 * (LARGEST_PNG / len(data)) ** 0.5)


def _own_side(request: ExportRequest) -> int:
    """Pixels of the upload across the widest view, never too few to read the words beside it."""
    boxes = [shot.study.crop.crop_box for shot in request.shots]
    return max(SMALLEST, *(round(x1 - x0) for x0, _, x1, _ in boxes))


def _svg(request: ExportRequest, content: Content, metadata: dict[str, Any]) -> bytes:
    page = compose(content.composition(metadata, request.display.style.tone), min(_own_side(request), SVG_SIDE))
    return page.to_svg(f"{content.title}. {content.subtitle}", as_text(metadata)).encode()


def _npz(request: ExportRequest, content: Content, metadata: dict[str, Any]) -> bytes:
    arrays_by_name = arrays_of(request, content)
    return npz(
        arrays_by_name | {"manifest": np.array(as_text({**metadata, "arrays": describe_arrays(arrays_by_name)}))}
    )


def _html(request: ExportRequest, content: Content, metadata: dict[str, Any]) -> bytes:
    """The study's report, with what is on the page as its first figure."""
    style = request.display.style
    maps = [shot.study.attention for shot in request.shots if shot.study.attention is not None]
    lacking = any(available_head(attention, style.head) != style.head for attention in maps)
    plain = replace(style, head=0) if style.head == LARGEST or lacking else style
    with tempfile.TemporaryDirectory(prefix="transxnet-report-") as name:
        folder, entries = Path(name), []
        for i, (shots, image, label) in enumerate(_by_image(request)):
            studies = [shot.study for shot in shots]
            title = label or tr("files.uploaded_image")
            entries.append(files.write_image(folder, str(i), studies, image.rgb, title, plain))
        (folder / "shown.png").write_bytes(_png(request, content, metadata))
        first = {
            "name": "shown", "title": content.title, "caption": content.subtitle, "alt": content.subtitle,
            "limits": " ".join(content.notes), "numbers": {}, "png": "shown.png", "npz": None, "table": None,
        }  # fmt: skip
        entries[0]["figures"].insert(0, first)
        about = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "images": entries, "failed": [],
            "address": request.link or f"?tab={request.view}", "versions": versions(),
        }  # fmt: skip
        (written,) = files.write_reports(folder, about)
        return html_with(written.read_text(encoding="utf-8"), metadata).encode()


def _by_image(request: ExportRequest) -> list[tuple[Sequence[Shot], SourceImage, str]]:
    groups = [request.shots, *([request.second] if request.second else [])]
    return list(zip(groups, request.images, request.labels, strict=False))


MAKERS: Mapping[str, Callable[[ExportRequest, Content, dict[str, Any]], bytes]] = {
    "png": _png, "svg": _svg, "npz": _npz, "html": _html,
}  # fmt: skip
