"""What is on the page as a file to keep: PNG, SVG, NPZ or a report, each with its manifest. No gradio here.

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
from transxnet.errors import LensError, UnknownName, quote
from transxnet.export import files
from transxnet.export.manifest import as_text, html_with, manifest, png_with
from transxnet.export.records import npz, versions
from transxnet.export.rows import LARGEST, Row, Shot, available_head
from transxnet.images import SourceImage

from .exports_asked import Asked, identity
from .exports_views import Shown, arrays_of, figure_of
from .i18n.tabs import TABS
from .i18n.translate import message, tr

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


def export(kind: str, asked: Asked) -> File:
    """Raises UnknownName for a kind that is none of TYPES, LensError where there is nothing to draw."""
    if kind not in TYPES:
        choose = f"Choose one of: {', '.join(TYPES)}."
        raise UnknownName(message("exports.no_format", name=quote(kind)), remedy=choose)
    if asked.view not in TABS or asked.view == "tour":
        raise LensError(message("exports.no_maps"), remedy=message("exports.no_maps_remedy"))
    if not asked.shots:
        raise LensError(
            message("exports.not_ready", names=", ".join(asked.left_out) or "The maps"),
            remedy=message("exports.not_ready_remedy"),
        )
    if asked.view != "attention":  # the only one in which a head is chosen
        asked = replace(asked, display=replace(asked.display, style=replace(asked.display.style, head=0)))
    shown = figure_of(asked)
    made = _manifest(asked, shown.rows, shown.numbers)
    data = MAKERS[kind](asked, shown, made)
    return File(f"{name_of(asked)}.{kind}", TYPES[kind], data)


def manifest_of(asked: Asked) -> dict[str, Any]:
    """What `export` puts into every file of this view."""
    shown = figure_of(asked)
    return _manifest(asked, shown.rows, shown.numbers)


def name_of(asked: Asked) -> str:
    """ "transxnet-lens-attention-pico-stage3": what a folder of them is told apart by."""
    stage = asked.options.get("stage") if asked.view in STAGED else None
    stage = asked.options.get("cam_layer") if asked.view == "grad_cam" else stage
    variants = dict.fromkeys(shot.study.model for shot in asked.shots)
    parts = ["transxnet-lens", asked.view, *variants, *([f"stage{stage}"] if stage else [])]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(parts))[:120]


def _manifest(asked: Asked, rows: Sequence[Row], numbers: Mapping[str, Any]) -> dict[str, Any]:
    images = [identity(one) | {"example": label or None} for one, label in zip(asked.images, asked.labels, strict=True)]
    studies = [shot.study for shot in (*asked.shots, *asked.second)]
    options = {"view": asked.view, **asked.options, "variants": [s.model for s in studies]}
    if asked.view == "compare":
        options["compared"] = asked.compared
    if asked.view == "attention":
        options |= {"head": asked.display.style.head or "mean", "direction": asked.display.direction}
    more = {"numbers": numbers, "left_out": asked.left_out, "link": asked.link, "photo": "as the model saw it"}
    if not asked.display.seen:
        more["photo"] = "the upload's own pixels"
    return manifest(options, images, studies, [row.as_json() for row in rows], asked.display.style, **more)


def _png(asked: Asked, shown: Shown, made: dict[str, Any]) -> bytes:
    """At the photo's own resolution; smaller where that would be a file too large to send."""
    cells = sum(len(row.cells) for row in shown.rows) or 1
    side = int(min(_own_side(asked), LARGEST_SIDE, max(SMALLEST, (PIXELS / cells) ** 0.5)))
    while True:
        page = compose(shown.composition(made, asked.display.style.tone), side)
        data = png_with(page.to_rgb(), {**made, "side": side}, page.dpi)
        if len(data) <= LARGEST_PNG or side <= SMALLEST // 2:
            return data
        side = int(side * 0.9 * (LARGEST_PNG / len(data)) ** 0.5)


def _own_side(asked: Asked) -> int:
    """Pixels of the upload across the widest view, never too few to read the words beside it."""
    boxes = [shot.study.crop.crop_box for shot in asked.shots]
    return max(SMALLEST, *(round(x1 - x0) for x0, _, x1, _ in boxes))


def _svg(asked: Asked, shown: Shown, made: dict[str, Any]) -> bytes:
    page = compose(shown.composition(made, asked.display.style.tone), min(_own_side(asked), SVG_SIDE))
    return page.to_svg(f"{shown.title}. {shown.subtitle}", as_text(made)).encode()


def _npz(asked: Asked, shown: Shown, made: dict[str, Any]) -> bytes:
    held = arrays_of(asked, shown)
    return npz(held | {"manifest": np.array(as_text({**made, "arrays": sorted(held)}))})


def _html(asked: Asked, shown: Shown, made: dict[str, Any]) -> bytes:
    """The study's report, with what is on the page as its first figure."""
    style = asked.display.style
    maps = [shot.study.attention for shot in asked.shots if shot.study.attention is not None]
    lacking = any(available_head(one, style.head) != style.head for one in maps)
    plain = replace(style, head=0) if style.head == LARGEST or lacking else style
    with tempfile.TemporaryDirectory(prefix="transxnet-report-") as name:
        folder, entries = Path(name), []
        for place, (shots, image, label) in enumerate(_by_image(asked)):
            studies = [shot.study for shot in shots]
            title = label or tr("files.uploaded_image")
            entries.append(files.write_image(folder, str(place), studies, image.rgb, title, plain))
        (folder / "shown.png").write_bytes(_png(asked, shown, made))
        first = {
            "name": "shown", "title": shown.title, "caption": shown.subtitle, "alt": shown.subtitle,
            "limits": " ".join(shown.notes), "numbers": {}, "png": "shown.png", "npz": None, "table": None,
        }  # fmt: skip
        entries[0]["figures"].insert(0, first)
        about = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "images": entries, "failed": [],
            "address": asked.link or f"?view={asked.view}", "versions": versions(),
        }  # fmt: skip
        (written,) = files.write_reports(folder, about)
        return html_with(written.read_text(encoding="utf-8"), made).encode()


def _by_image(asked: Asked) -> list[tuple[Sequence[Shot], SourceImage, str]]:
    groups = [asked.shots, *([asked.second] if asked.second else [])]
    return list(zip(groups, asked.images, asked.labels, strict=False))


MAKERS: Mapping[str, Callable[[Asked, Shown, dict[str, Any]], bytes]] = {
    "png": _png, "svg": _svg, "npz": _npz, "html": _html,
}  # fmt: skip
