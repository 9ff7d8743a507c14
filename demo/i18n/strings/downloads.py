"""The buttons that download what is shown."""

from __future__ import annotations

STRINGS = {
    "downloads.title": "Download",
    "downloads.hint": "what is shown, with a manifest",
    "downloads.creating": "Creating the file…",
    "downloads.done": "{name}, {size}",
    "downloads.failed": (
        "The file could not be created because of an unexpected error. Try again, or choose another format."
    ),
    "downloads.kind_png": "PNG",
    "downloads.kind_png_hint": "Maps at full resolution with captions and color bars",
    "downloads.kind_svg": "SVG",
    "downloads.kind_svg_hint": "The same with text and color bars as vectors, for papers",
    "downloads.kind_npz": "NPZ",
    "downloads.kind_npz_hint": "Raw arrays for numpy.load",
    "downloads.kind_html": "Report",
    "downloads.kind_html_hint": "Self-contained HTML with figures, numbers and provenance; works offline",
}
