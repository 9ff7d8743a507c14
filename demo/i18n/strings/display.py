"""Display settings, read by the browser."""

from __future__ import annotations

STRINGS = {
    "display.title": "Display",
    "display.opacity": "Opacity",
    "display.colormap": "Colors",
    "display.own": "each map's own",
    "display.view": "Scale",
    "display.raw": "raw",
    "display.normalized": "normalized",
    "display.masked": "masked",
    "display.raw_hint": "One scale for all maps of a column: equal colors are equal values",
    "display.normalized_hint": "Each map on its own scale, up to its own largest value",
    "display.masked_hint": "The photo where a map is above the threshold, dark elsewhere",
    "display.more": "More",
    "display.diverging": "Colors of signed maps",
    "display.gamma": "Gamma",
    "display.gamma_hint": "Color = share of the scale to this power: below 1 low values show more, above 1 less",
    "display.threshold": "Threshold",
    "display.threshold_hint": (
        "Nothing is drawn below this share of the scale's largest value; on both sides of zero where it has two"
    ),
    "display.seen": "as the model saw it",
    "display.reset": "Reset",
    "display.gray": "gray",
    "display.RdBu_r": "blue, white, red",
    "display.coolwarm": "blue, gray, red",
    "display.warning": "Each map on its own scale: do not compare brightness.",
    "display.root": "{units}, root scale",
    "display.own_low": "least",
    "display.own_high": "most",
    "display.gamma_is": "gamma {gamma}",
    "display.shown_from": "shown from {value}",
    "display.shown_from_share": "shown from {share} %",
    "display.unit": "row {row}, column {col}",
    "display.tap": "tap in row {row}, column {col}",
}
