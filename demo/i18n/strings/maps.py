"""Captions of maps and of cells, in every tab."""

from __future__ import annotations

STRINGS = {
    "maps.weights": "{where}. {note}",
    "maps.highest": "Maximum: {where}.",
    "maps.places": (
        "upper left\n"
        "top\n"
        "upper right\n"
        "left\n"
        "center\n"
        "right\n"
        "lower left\n"
        "bottom\n"
        "lower right"
    ),
    "maps.of": "{what} of {title}",
    "maps.exactly": "{exactly}: {text}",
    "maps.peak": "Peak weight {peak}",
    "maps.shared": "shared by {count} models",
    "maps.cost": "{parameters} M parameters, {macs} GMACs.",
    "maps.not_a_number": "n/a",
}
