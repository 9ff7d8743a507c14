"""Words of the display controls, of color bars and of what a pointer reads. Placeholders are filled in the browser."""

from __future__ import annotations

WORDS = {
    "title": "Display",
    "opacity": "Opacity",
    "colormap": "Colors",
    "own": "each map's own",
    "view": "Scale",
    "raw": "raw",
    "normalized": "normalized",
    "masked": "masked",
    "raw_hint": "One scale for all maps of a column: equal colors are equal values",
    "normalized_hint": "Each map on its own scale, up to its own largest value",
    "masked_hint": "The photo where a map is above the threshold, dark elsewhere",
    "more": "More",
    "diverging": "Colors of signed maps",
    "gamma": "Gamma",
    "gamma_hint": "Color = share of the scale to this power: below 1 low values show more, above 1 less",
    "threshold": "Threshold",
    "threshold_hint": "Nothing is drawn below this share of the scale's largest value; on both sides of zero where it "
    "has two",
    "seen": "as the model saw it",
    "reset": "Reset",
    "gray": "gray",
    "RdBu_r": "blue, white, red",
    "coolwarm": "blue, gray, red",
    "warning": "Each map on its own scale: do not compare brightness.",
    "root": "{units}, root scale",
    "own_low": "least",
    "own_high": "most",
    "gamma_is": "gamma {gamma}",
    "shown_from": "shown from {value}",
    "shown_from_share": "shown from {share} %",
    "unit": "row {row}, column {col}",
    "tap": "tap in row {row}, column {col}",
}
