"""Tab Attention."""

from __future__ import annotations

STRINGS = {
    "attention.head": "Head",
    "attention.direction": "Direction",
    "attention.mean": "mean",
    "attention.max": "max",
    "attention.heads_mean": "mean over {heads} heads",
    "attention.heads_max": "maximum over {heads} heads",
    "attention.heads_one": "head {head} of {heads}",
    "attention.heads_only": "one head",
    "attention.direction_from": "Attends to",
    "attention.direction_to": "Attended by",
    "attention.hint_from": "Attention weights of the query under the ring (sum to 1).",
    "attention.hint_to": "Weight that each query gives to the key under the ring (does not sum to 1).",
    "attention.marks": "Square: query unit. Ring: query position (dashed while previewing another position).",
    "attention.caption_from": (
        "{layer}, {which}: peak weight {peak} · normalized entropy {entropy} · mean distance {distance} px"
    ),
    "attention.caption_to": (
        "{layer}, {which}: peak weight {peak} · sum over queries {total} ({even} for uniform attention)"
    ),
    "attention.caption_max": "{layer}, {which}: peak weight {peak}",
    "attention.layer": "stage {stage}, block {block}",
    "attention.alt": "{way}, {variant}. {caption}.",
    "attention.heads_title": "All heads",
    "attention.heads_hint_from": (
        "{grid} keys per head; normalized entropy: 0 = one key, 1 = uniform. Click a head to enlarge it"
    ),
    "attention.heads_hint_to": "{grid} queries per head, and the peak weight. Click a head to enlarge it",
    "attention.head_name": "head {head}",
    "attention.stages_title": "All stages",
    "attention.stages_hint": "the same position in the last block of every stage, {which}; peak weight below each map",
    "attention.stages_mean": "mean over heads",
    "attention.stages_max": "maximum over heads",
    "attention.stage_name": "stage {stage}",
}
