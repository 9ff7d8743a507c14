"""The manifest that travels inside every downloaded file: what was computed, from what, by which program.

One schema for PNG (text chunk "transxnet-lens"), SVG (<metadata>), NPZ (entry `manifest`) and HTML (script of the id
"manifest"). It holds no path and no name of a visitor's file; an image is known by its SHA-256.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..study import Study
from .images import Style
from .records import clean, describe, source_digest, versions

SCHEMA, VERSION = "transxnet-lens/export", 1
KEY = "transxnet-lens"  # of a PNG's text chunk
MAPS = (
    "Maps sit where their units sit in the image. Colors stand for raw values as `drawn` says: one range for all "
    "maps of a row; arrays in an NPZ are raw."
)


def manifest(
    asked: Mapping[str, object],
    images: Sequence[Mapping[str, object]],
    studies: Sequence[Study],
    drawn: Sequence[Mapping[str, object]],
    style: Style,
    **more: object,
) -> dict[str, object]:
    """asked: what was computed, e.g. view, stage, point. images: sha256 and size of each. drawn: a row of maps each:
    name, units, range, scaling, color map. more: what else this file holds, by key.
    """
    tone = style.tone
    display = {
        "opacity": style.opacity, "gamma": tone.gamma, "threshold": tone.threshold, "scale": tone.mode,
        "head": style.head, "colormaps": dict(style.colormaps),
    }  # fmt: skip
    return clean(
        {
            "schema": SCHEMA, "version": VERSION, "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "asked": dict(asked), "images": [dict(one) for one in images],
            "models": [{"image": study.image, **describe(study)} for study in studies],
            "display": display, "drawn": [dict(one) for one in drawn], "maps": MAPS,
            "source": source_digest(), "versions": versions(), **more,
        }
    )  # fmt: skip


def as_text(made: Mapping[str, object]) -> str:
    """Strict JSON on one line."""
    return json.dumps(made, ensure_ascii=False, allow_nan=False)


def png_with(rgb: np.ndarray, made: Mapping[str, object], dpi: float) -> bytes:
    """uint8 (H, W, 3), RGB -> PNG with the manifest in an iTXt chunk."""
    info = PngInfo()
    info.add_itxt(KEY, as_text(made), zip=True)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", pnginfo=info, dpi=(dpi, dpi), compress_level=5)
    return buffer.getvalue()


def html_with(html: str, made: Mapping[str, object]) -> str:
    """The page with the manifest in it, where no "</script>" of a value can end it."""
    text = as_text(made).replace("<", "\\u003c")
    script = f'<script type="application/json" id="manifest">{text}</script>'
    return html.replace("</body>", f"{script}\n</body>", 1)
