"""Display settings, read by the browser."""

from __future__ import annotations

STRINGS = {
    "display.title": "Display",
    "display.opacity": "Opacity",
    "display.colormap": "Colors",
    "display.own": "default per map",
    "display.scale": "Scale",
    "display.raw": "shared",
    "display.normalized": "normalized",
    "display.masked": "masked",
    "display.raw_hint": "One scale for all maps of a column: equal colors mean equal values",
    "display.normalized_hint": "Each map on its own scale, up to its maximum",
    "display.masked_hint": "The image where a map exceeds the threshold, dark elsewhere",
    "display.more": "More",
    "display.diverging": "Colors of signed maps",
    "display.gamma": "Gamma",
    "display.gamma_hint": (
        "Color = (value / maximum) raised to this power: below 1 emphasizes low values, above 1 suppresses them"
    ),
    "display.threshold": "Threshold",
    "display.threshold_hint": (
        "Values below this fraction of the maximum are not drawn; for signed maps on both sides of zero"
    ),
    "display.model_resolution": "model input",
    "display.reset": "Reset",
    "display.gray": "gray",
    "display.RdBu_r": "blue, white, red",
    "display.coolwarm": "blue, gray, red",
    "display.warning": "Each map has its own scale: do not compare colors between maps.",
    "display.root": "{units} (square-root scale)",
    "display.own_low": "min",
    "display.own_high": "max",
    "display.gamma_is": "gamma {gamma}",
    "display.shown_from": "shown from {value}",
    "display.shown_from_share": "shown from {share}%",
    "display.unit": "row {row}, column {col}",
    "display.tap": "tap in row {row}, column {col}",
}
