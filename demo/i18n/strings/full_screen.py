"""One map in the whole window, and its download."""

from __future__ import annotations

STRINGS = {
    "full_screen.enlarge": "Show full screen",
    "full_screen.hint": (
        "Map. Arrow keys: previous or next map. Plus and minus, mouse wheel or two fingers: zoom. Escape: close."
    ),
    "full_screen.number": "Map {index} of {count}",
    "full_screen.previous": "Previous map",
    "full_screen.next": "Next map",
    "full_screen.zoom_in": "Zoom in",
    "full_screen.zoom_out": "Zoom out",
    "full_screen.close": "Close",
    "full_screen.download": "Download this map",
    "full_screen.format": "Format",
    "full_screen.width": "Width",
    "full_screen.width_value": "{value} in",
    "full_screen.dpi": "Resolution",
    "full_screen.dpi_value": "{value} dpi",
    "full_screen.caption": "caption",
    "full_screen.color_bar": "color bar",
}
