"""Tab Attention."""

from __future__ import annotations

STRINGS = {
    "attention.intro": (
        "Move over the image or over a map: at once every variant shows which places its attention, OSRA, mixes into "
        "that place. Click to stay there."
    ),
    "attention.limits": (
        "Weights of one block and one half of the channels: the other half goes through IDConv, and a residual path "
        "goes round both. A map over keys that have already seen their neighborhood is not a map of causes. Weights "
        "are those after the softmax, to 0.2 % of the largest one a head gives at that place; keys are a map smaller "
        "than the image."
    ),
    "attention.head": "Head",
    "attention.direction": "Direction",
    "attention.mean": "mean",
    "attention.max": "max",
    "attention.heads_mean": "mean of {heads} heads",
    "attention.heads_max": "largest of {heads} heads",
    "attention.heads_one": "head {head} of {heads}",
    "attention.heads_only": "one head",
    "attention.direction_from": "What it looks at",
    "attention.direction_to": "Who looks at it",
    "attention.hint_from": "what OSRA mixes into the place under the ring; all of it sums to 1",
    "attention.hint_to": "how much every place mixes in of the one under the ring; does not sum to 1",
    "attention.marks": "Square: the unit that answers; ring: the crosshair, dashed while you point somewhere else",
    "attention.caption_from": "{layer}, {which}: peak {peak}, entropy {entropy}, {distance} px away on average",
    "attention.caption_to": (
        "{layer}, {which}: peak {peak}, {total} from all places together; {even} if all were used alike"
    ),
    "attention.caption_max": "{layer}, {which}: peak {peak}",
    "attention.layer": "stage {stage}, block {block}",
    "attention.alt": "{way}, {variant}. {caption}.",
    "attention.heads_title": "All heads",
    "attention.heads_hint_from": (
        "{grid} keys each, and its entropy: 0 is one key only, 1 all alike. Press one to see it large"
    ),
    "attention.heads_hint_to": "{grid} places each, and its peak. Press one to see it large",
    "attention.head_name": "head {head}",
    "attention.stages_title": "All stages",
    "attention.stages_hint": "the same place in the last block of every stage, {which}; below each its peak",
    "attention.stages_mean": "mean of heads",
    "attention.stages_max": "largest of heads",
    "attention.stage_name": "stage {stage}",
}
