"""Captions of maps and of cells, in every tab."""

from __future__ import annotations

STRINGS = {
    "maps.weights": "Weights: {where}. {note}",
    "maps.highest": "Highest: {where}.",
    "maps.places": ("upper left\ntop\nupper right\nleft\ncenter\nright\nlower left\nbottom\nlower right"),
    "maps.of": "{what} of {title}",
    "maps.exactly": "{exactly}: {words}",
    "maps.peak": "peak {peak}",
    "maps.shared": "shared by {count} variants",
    "maps.cost": "{parameters} M parameters, {macs} GMACs.",
    "maps.no_share": "none",
}
