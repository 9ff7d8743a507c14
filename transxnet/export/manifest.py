"""The manifest inside every downloaded file: what was computed, from what, by which program.

One format for PNG (text chunk "transxnet-lens"), SVG (`<dc:description>`), NPZ (entry `manifest`) and HTML (script with
id "manifest"). It holds no path and no name of a visitor's file; an image is identified by its SHA-256.
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

SCHEMA, FORMAT = "transxnet-lens/export", 3
KEY = "transxnet-lens"  # of a PNG's text chunk
NOTE = (
    "Maps are aligned to the units' positions in the image. Colors stand for values as `scaling` in `rows` says: one "
    "range for all maps of a row; arrays in an NPZ are raw."
)


def manifest(
    request: Mapping[str, object],
    images: Sequence[Mapping[str, object]],
    studies: Sequence[Study],
    rows: Sequence[Mapping[str, object]],
    style: Style,
    **more: object,
) -> dict[str, object]:
    """The manifest of one file.

    Args:
        request: What was computed, e.g. view, stage, position.
        images: SHA-256 and size of each.
        studies: Their models and results.
        rows: Each row of maps: name, units, range, scaling, color map.
        style: Display settings.
        more: What else this file holds, by key.
    """
    tone = style.tone
    display = {
        "opacity": style.opacity, "gamma": tone.gamma, "threshold": tone.threshold, "scale": tone.mode,
        "head": style.head, "colormaps": dict(style.colormaps),
    }  # fmt: skip
    return clean({
        "schema": SCHEMA, "format": FORMAT, "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "request": dict(request), "images": [dict(image) for image in images],
        "models": [{"image": study.image, **describe(study)} for study in studies],
        "display": display, "rows": [dict(row) for row in rows], "note": NOTE,
        "source": source_digest(), "versions": versions(), **more,
    })  # fmt: skip


def as_text(content: Mapping[str, object]) -> str:
    """Strict JSON on one line."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def png_with(rgb: np.ndarray, content: Mapping[str, object], dpi: float) -> bytes:
    """uint8 (H, W, 3), RGB -> PNG with the manifest in an iTXt chunk."""
    info = PngInfo()
    info.add_itxt(KEY, as_text(content), zip=True)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", pnginfo=info, dpi=(dpi, dpi), compress_level=5)
    return buffer.getvalue()


def html_with(html: str, content: Mapping[str, object]) -> str:
    """The page with the manifest in a script element, which no "</script>" in a value can end."""
    text = as_text(content).replace("<", "\\u003c")
    script = f'<script type="application/json" id="manifest">{text}</script>'
    return html.replace("</body>", f"{script}\n</body>", 1)
