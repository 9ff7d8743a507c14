"""Captions of maps and of cells, in every tab."""

from __future__ import annotations

STRINGS = {
    "maps.weights": "{where}. {note}",
    "maps.highest": "Maximum: {where}.",
    "maps.places": ("upper left\ntop\nupper right\nleft\ncenter\nright\nlower left\nbottom\nlower right"),
    "maps.of": "{what} of {title}",
    "maps.exactly": "{exactly}: {text}",
    "maps.peak": "Peak weight {peak}",
    "maps.shared": "shared by {count} models",
    "maps.cost": "{parameters} M parameters, {macs} GMACs.",
}
