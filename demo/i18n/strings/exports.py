"""Downloads."""

from __future__ import annotations

STRINGS = {
    "exports.title": "Download",
    "exports.hint": "what is shown, with a manifest inside",
    "exports.kind_png": "PNG",
    "exports.kind_png_hint": "The maps at full size, with captions and bars",
    "exports.kind_svg": "SVG",
    "exports.kind_svg_hint": "The same, its words and bars as vectors, for a paper",
    "exports.kind_npz": "NPZ",
    "exports.kind_npz_hint": "The raw arrays, for numpy.load",
    "exports.kind_html": "Report",
    "exports.kind_html_hint": "One HTML file with figures, numbers and provenance; it needs no network",
    "exports.making": "Making the file …",
    "exports.done": "{name}, {size}",
    "exports.failed": "The file could not be made: something unexpected went wrong here. Try again, or another format.",
    "exports.no_maps": "The tour has no maps of its own.",
    "exports.no_maps_remedy": "Open one of the other views, then download.",
    "exports.not_ready": "{names}: not there yet, so there is nothing to put into a file.",
    "exports.not_ready_remedy": "Download again when the maps are shown.",
    "exports.no_view": "There is no view called {name}.",
    "exports.so_many": "{count} variants were asked for.",
    "exports.so_many_remedy": "Name one, two or three, with commas between.",
    "exports.no_format": "There is no format called {name}.",
}
