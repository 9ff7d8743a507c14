"""Tab Compare: models on one image."""

from __future__ import annotations

STRINGS = {
    "compare.map": "Map to compare",
    "compare.photos": "Two images on one model",
    "compare.predictions": "Predictions",
    "compare.predictions_hint": "Probabilities over each model's classes",
    "compare.maps_hint": "one scale for all models",
    "compare.units_attention": (
        "Raw weights, mean over heads. They sum to 1 over each model's keys ({keys}), so fewer keys mean larger "
        "weights."
    ),
    "compare.units_grad_cam": (
        "Raw contributions to the logit, not normalized. Logits of two models have no common unit: compare positions "
        "and the rank correlation."
    ),
    "compare.units_receptive_field": (
        "Gradient ÷ mean, square-root color scale. Gradients of two models' features have no common unit."
    ),
    "compare.raw": "{exactly}: {low} to {high}",
    "compare.raw_uniform": "{exactly}: uniform, every key receives 1/{keys}",
    "compare.instead_of": "{asked} is available for fewer than two of these models; showing {shown}.",
    "compare.alone": "Select a second model to compare.",
    "compare.too_few": "Fewer than two of these models have this map. Select another map or model.",
    "compare.other_classes": (
        "These maps explain different classes ({classes}), so no difference is computed. Select a class that all "
        "models have."
    ),
    "compare.differences": "Differences",
    "compare.differences_hint": "second minus first, on the region that all models received",
    "compare.difference": "{second} minus {first}",
    "compare.difference_alt": "{map}: {second} minus {first}, on the part of the image that all models received",
    "compare.difference_caption": "Mean absolute difference {mean} {units}, from {low} to {high}",
    "compare.only_rounding": "No difference beyond rounding error:",
    "compare.table": "Agreement of the maps",
    "compare.table_head": ("Pair\nRank correlation (Spearman)\nTop {share} overlap\nMean absolute difference"),
    "compare.table_note": (
        "Over the pixels that all models received. Top {share} overlap: fraction of one map's highest pixels that are "
        "among the other's highest; {share} for two random maps. Coarse maps agree more easily than fine ones."
    ),
    "compare.uniform": "n/a (uniform map)",
    "compare.pair": "{first} and {second}",
    "compare.wipe": "Swipe comparison",
    "compare.wipe_hint": "drag the line, or use the arrow keys",
    "compare.wipe_slider": "Position of the line: {first} on its left, {second} on its right",
    "compare.wipe_alt": "{map} over the image: {first} left of the line, {second} right of it",
    "compare.wipe_value": "{share}% {first}, {rest}% {second}",
    "compare.wipe_pair": "Pair",
}
