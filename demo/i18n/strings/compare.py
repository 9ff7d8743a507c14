"""Tab Compare: models on one image."""

from __future__ import annotations

STRINGS = {
    "compare.intro": (
        "Two or three variants on one photo: what each answers, where their maps differ and by how much, and what each "
        "costs. Or two photos on one model: what it generates anew for each."
    ),
    "compare.limits": (
        "A share is the softmax over the model's own classes: a model that knows none of what is in the image still "
        "spreads 100 % over what it knows. Maps that agree may be wrong together, and maps that differ need not be "
        "worse: two models may find different evidence for one answer."
    ),
    "compare.choose": "The map compared",
    "compare.photos": "Two photos on one model",
    "compare.answers": "Answers",
    "compare.answers_hint": "shares of each variant's own classes",
    "compare.maps_hint": "one scale for all variants",
    "compare.units_attention": (
        "Weights as they are, mean over heads. They sum to 1 over each variant's own keys ({keys}), so fewer keys are "
        "larger weights."
    ),
    "compare.units_grad_cam": (
        "Raw logits, nothing is normalized. Two models' logits have no common unit: compare where, and the rank "
        "correlation."
    ),
    "compare.units_receptive_field": (
        "The gradient as a multiple of its own mean, colors by the square root: gradients of two models' features have "
        "no common unit."
    ),
    "compare.raw": "{exactly}: {low} to {high}",
    "compare.raw_even": "{exactly}: even, every key gets 1/{keys}",
    "compare.instead_of": "{asked}: fewer than two of these variants have it, so this is {shown}.",
    "compare.alone": (
        "Choose a second variant at “Compare up to three”: then maps, differences and numbers stand beside each other."
    ),
    "compare.too_few": (
        "Fewer than two of these variants have this map, so there is nothing to compare. Choose another map or variant."
    ),
    "compare.other_classes": (
        "These maps explain different classes ({answers}), so they are not subtracted. Choose an answer that all "
        "variants know."
    ),
    "compare.differences": "Differences",
    "compare.differences_hint": "second minus first, on what all of them saw",
    "compare.difference": "{second} minus {first}",
    "compare.difference_alt": "{map}: {second} minus {first}, on the part of the image that all variants saw",
    "compare.difference_words": "mean absolute difference {mean} {units}, from {low} to {high}",
    "compare.only_rounding": "No difference beyond rounding:",
    "compare.table": "How far the maps agree",
    "compare.table_head": ("Pair\nRank correlation (Spearman)\nTop {share} in common\nMean absolute difference"),
    "compare.table_note": (
        "Over the pixels that all variants saw. Top {share} in common: of the pixels that one ranks highest, how many "
        "the other ranks highest as well; two random choices have {share}. Coarse maps agree more easily than fine "
        "ones."
    ),
    "compare.even": "an even map ranks nothing",
    "compare.pair": "{first} and {second}",
    "compare.wipe": "Wipe between two",
    "compare.wipe_hint": "drag the line, or use the arrow keys",
    "compare.wipe_slider": "How far the map of {first} reaches from the left, the map of {second} from there on",
    "compare.wipe_alt": "{map} over the photo: {first} left of the line, {second} right of it",
    "compare.wipe_value": "{share} % {first}, {rest} % {second}",
    "compare.wipe_pair": "Which two",
}
