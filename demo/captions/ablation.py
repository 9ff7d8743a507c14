"""The words of What if: what can be switched, painting, and what became of the answer."""

from __future__ import annotations

SWITCH_TITLE = "Switch parts off"
SWITCH_HINT = "Several at once; each where you say. The places follow the stage and block chosen at the side."
SWITCHES = {  # of transxnet.explain.ablation.switches -> what it is called, and what it does
    "uniform_gates": ("Generated kernels", "off: gates made uniform, one kernel for every image"),
    "other_kernels": ("This image’s own kernels", "off: those made for the image under Compare with are used"),
    "uniform_attention": ("Attention that chooses", "off: made even, every position gets the mean of all"),
    "no_idconv": ("IDConv’s half", "off: zeros in its place"),
    "no_osra": ("OSRA’s half", "off: zeros in its place"),
    "no_ste": ("STE, which joins the halves", "off: they stay side by side"),
    "head_off": ("Heads of OSRA", "press the ones to silence"),
}
OFF, ON = "off", "on"
HEAD = "Head {head}"
WHERE = "Where: {words}"
EVERYWHERE, STAGE, BLOCK = "everywhere", "stage {stage}", "stage {stage}, block {block}"

PAINT_TITLE = "Paint a region out"
PAINT_HINT = (
    "Draw with mouse or finger. By keyboard: arrow keys move the square, Space paints, Z takes the last stroke back."
)
PAINT_ALT = "What {title} sees of your image, to paint on. {share} of it is painted out."
PIXELS = "Replaced in the pixels that a model is given: {sizes}."
PIXELS_OF = "{size} for {title}"
BRUSH, BRUSHES = "Brush", ("small", "medium", "large")
UNDO, CLEAR, ALL_ON = "Undo", "Clear", "Everything on again"
FILL = "Filled with"
FILLS = {"gray": "gray", "blur": "blur", "around": "what is around"}

NOTHING = "Nothing is changed yet: these are the answers to the image as it is."
SAID = "{title}: {label} {before} → {after}, logit {logit_before} → {logit_after}"
NEW_TOP = "It now answers {label}."
ROW = "{before} → {after}"
LOGIT_ROW = "logit {before} → {after}"
BARS = "Answers of {title}: before pale, now full."
PAINTED = "Painting {share} of its view out changes the logit of {label} by {change}."
ELSEWHERE = "The same shape moved elsewhere changes it by {mean} (mean of {n} places, {low} to {high})."
NO_ROOM = "The shape is too large to be moved elsewhere for comparison."
OUTSIDE = "Nothing of the painted region lies in what {title} sees."
GIVEN = "What {title} was given, {size} pixels"
SKIPPED = "Not changed here: {why}"

EVERY = "All changes, one at a time"
EVERY_HINT = "Every question in every block, alone: {seconds} or longer. It is drawn below."
TENS = "tens of seconds"
