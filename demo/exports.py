"""A tab of the page as a file: PNG, SVG, NPZ or a report, each with its manifest. No gradio here.

    file = export("png", Asked(...))     # name, MIME type, bytes

A file holds no path of this machine and no name of a visitor's image, which is known by its SHA-256.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from transxnet.draw.compose import compose
from transxnet.draw.fonts import numbered_classes
from transxnet.errors import LensError, UnknownName, quote
from transxnet.export import files
from transxnet.export.images import class_numbers
from transxnet.export.manifest import as_text, html_with, manifest, png_with
from transxnet.export.records import npz, versions
from transxnet.export.rows import LARGEST, Row, Shot, available_head
from transxnet.images import SourceImage

from .export_content import Content, arrays_of, content_of
from .export_request import ExportRequest, identity
from .i18n.translate import message, tr
from .state import TABS

TYPES = {"png": "image/png", "svg": "image/svg+xml", "npz": "application/zip", "html": "text/html"}
LARGEST_PNG = 14_000_000  # bytes; a larger one is drawn again, smaller
SMALLEST, LARGEST_SIDE, PIXELS = 768, 2048, 24e6  # of a map's side; of all maps together
STAGED = ("overview", "attention", "kernels", "erf", "compare")  # views whose stage is the shared one
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
    if request.view not in TABS or request.view == "tour":
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
        data = MAKERS[kind](request, content, metadata)
    return File(f"{file_stem(request)}.{kind}", TYPES[kind], data)


def manifest_of(request: ExportRequest) -> dict[str, Any]:
    """What `export` puts into every file of this view."""
    content = content_of(request)
    return _manifest(request, content.rows, content.numbers)


def file_stem(request: ExportRequest) -> str:
    """The name of the file without its extension: "transxnet-lens-attention-pico-stage3"."""
    stage = request.options.get("stage") if request.view in STAGED else None
    stage = request.options.get("cam_layer") if request.view == "grad_cam" else stage
    variants = dict.fromkeys(shot.study.model for shot in request.shots)
    parts = ["transxnet-lens", request.view, *variants, *([f"stage{stage}"] if stage else [])]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts))[:120]


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
    return npz(arrays_by_name | {"manifest": np.array(as_text({**metadata, "arrays": sorted(arrays_by_name)}))})


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
