"""Downloads."""

from __future__ import annotations

STRINGS = {
    "exports.title": "Download",
    "exports.hint": "what is shown, with a manifest",
    "exports.kind_png": "PNG",
    "exports.kind_png_hint": "Maps at full resolution with captions and color bars",
    "exports.kind_svg": "SVG",
    "exports.kind_svg_hint": "The same with text and color bars as vectors, for papers",
    "exports.kind_npz": "NPZ",
    "exports.kind_npz_hint": "Raw arrays for numpy.load",
    "exports.kind_html": "Report",
    "exports.kind_html_hint": "Self-contained HTML with figures, numbers and provenance; works offline",
    "exports.loading": "its weights are still loading",
    "exports.creating": "Creating the file…",
    "exports.done": "{name}, {size}",
    "exports.failed": (
        "The file could not be created because of an unexpected error. Try again, or choose another format."
    ),
    "exports.no_maps": "The Tour tab has no maps to download.",
    "exports.no_maps_remedy": "Open another tab, then download.",
    "exports.not_ready": "{names}: still loading, so there is nothing to download yet.",
    "exports.not_ready_remedy": "Download again when the maps are shown.",
    "exports.model_count": {"one": "{count} model was requested.", "other": "{count} models were requested."},
    "exports.model_count_remedy": "Specify one to three models, separated by commas.",
    "exports.no_format": "There is no format {name}.",
}
