"""Text of downloaded files, which are in English."""

from __future__ import annotations

STRINGS = {
    "files.left_out": "Left out: {names}.",
    "files.own_second": "The second image is the visitor's own: the page's address opens an example in its place.",
    "files.edited": "Changed inside the model: {changes}.",
    "files.painted": "Painted out: {share} of what the model sees, filled with {fill}.",
    "files.given": "What the model was given",
    "files.given_caption": "Its own pixels, the painted region and all.",
    "files.answers": "{title}: answers before and after",
    "files.predictions_head": ("Class\nShare before\nShare after\nLogit before\nLogit after"),
    "files.pairs": "How far the maps agree",
    "files.pairs_head": ("Pair\nRank correlation\nHighest {share} in common\nMean absolute difference"),
    "files.foot": (
        "TransXNet Lens, {made} UTC, code {source}. SourceImage SHA-256 {images}; {where}. {link}Numbers and "
        "provenance travel inside this file."
    ),
    "files.link": "Page address: {link}. ",
    "files.where": "point ({x:.0f}, {y:.0f}), explained class {label}",
    "files.upload": "a visitor's image",
    "files.example": "example “{label}”",
    "files.subtitle": "{image}, {width} x {height} pixels",
    "files.even": "none: an even map ranks nothing",
    "files.limits_overview": (
        "Attention says what was mixed in, not why the answer was given. Kernels are shared by all places of the "
        "image, and work on features, not on pixels. Grad-CAM says what raised and lowered the score, at the "
        "resolution of its layer. A receptive field says what a small change would reach, not what the model looks at."
    ),
    "files.limits_attention": (
        "Weights of one block and one half of the channels: the other half goes through IDConv, and a residual path "
        "goes round both. A map over keys that have already seen their neighborhood is not a map of causes. Weights "
        "are those after the softmax; keys are a map smaller than the image."
    ),
}
