"""The attention view's words. Braces are filled in the browser, as the pointer moves: js/attention.js."""

from __future__ import annotations

HEAD, DIRECTION = "Head", "Direction"
MEAN, LARGEST = "mean", "max"
WHICH = {  # what a map is of, in a caption
    "mean": "mean of {heads} heads", "max": "largest of {heads} heads", "one": "head {head} of {heads}",
    "only": "one head",
}  # fmt: skip
WAYS = {"from": "What it looks at", "to": "Who looks at it"}  # direction -> its name
HINTS = {
    "from": "what OSRA mixes into the place under the ring; all of it sums to 1",
    "to": "how much every place mixes in of the one under the ring; does not sum to 1",
}
MARKS = "Square: the unit that answers; ring: the crosshair, dashed while you point somewhere else"
CAPTIONS = {
    "from": "{layer}, {which}: peak {peak}, entropy {entropy}, {distance} px away on average",
    "to": "{layer}, {which}: peak {peak}, {total} from all places together; {even} if all were used alike",
}
LARGEST_CAPTIONS = {"from": "{layer}, {which}: peak {peak}", "to": "{layer}, {which}: peak {peak}"}
LAYER = "stage {stage}, block {block}"
ALT = "{way}, {variant}. {caption}."
HEADS_TITLE = "All heads"
HEADS_HINTS = {
    "from": "{grid} keys each, and its entropy: 0 is one key only, 1 all alike. Press one to see it large",
    "to": "{grid} places each, and its peak. Press one to see it large",
}
HEAD_NAME = "head {head}"
STAGES_TITLE = "All stages"
STAGES_HINT = "the same place in the last block of every stage, {which}; below each its peak"
STAGES_WHICH = {"mean": "mean of heads", "max": "largest of heads"}
STAGE_NAME = "stage {stage}"
OR = " or "
