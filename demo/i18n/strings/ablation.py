"""Tab Ablation."""

from __future__ import annotations

STRINGS = {
    "ablation.intro": (
        "Switch parts of the model off, or paint a region of the image out, and see what becomes of the answer."
    ),
    "ablation.limits": (
        "The model was never trained with a part changed. A large change says that the part is used for this image, "
        "not that a model trained without it would be worse by as much; a small one may mean that another part does "
        "the same."
    ),
    "ablation.switch_title": "Switch parts off",
    "ablation.switch_hint": (
        "Several at once; each where you say. The places follow the stage and block chosen at the side."
    ),
    "ablation.switch_uniform_gates": "Generated kernels",
    "ablation.switch_uniform_gates_hint": "off: gates made uniform, one kernel for every image",
    "ablation.switch_other_kernels": "This image’s own kernels",
    "ablation.switch_other_kernels_hint": "off: those made for the image under Compare with are used",
    "ablation.switch_uniform_attention": "Attention that chooses",
    "ablation.switch_uniform_attention_hint": "off: made even, every position gets the mean of all",
    "ablation.switch_no_idconv": "IDConv’s half",
    "ablation.switch_no_idconv_hint": "off: zeros in its place",
    "ablation.switch_no_osra": "OSRA’s half",
    "ablation.switch_no_osra_hint": "off: zeros in its place",
    "ablation.switch_no_ste": "STE, which joins the halves",
    "ablation.switch_no_ste_hint": "off: they stay side by side",
    "ablation.switch_head_off": "Heads of OSRA",
    "ablation.switch_head_off_hint": "press the ones to silence",
    "ablation.off": "off",
    "ablation.on": "on",
    "ablation.head": "Head {head}",
    "ablation.where": "Where: {words}",
    "ablation.everywhere": "everywhere",
    "ablation.stage": "stage {stage}",
    "ablation.block": "stage {stage}, block {block}",
    "ablation.paint_title": "Paint a region out",
    "ablation.paint_hint": (
        "Draw with mouse or finger. By keyboard: arrow keys move the square, Space paints, Z takes the last stroke "
        "back."
    ),
    "ablation.paint_alt": "What {title} sees of your image, to paint on. {share} of it is painted out.",
    "ablation.pixels": "Replaced in the pixels that a model is given: {sizes}.",
    "ablation.pixels_of": "{size} for {title}",
    "ablation.brush": "Brush",
    "ablation.brushes": ("small\nmedium\nlarge"),
    "ablation.undo": "Undo",
    "ablation.clear": "Clear",
    "ablation.all_on": "Everything on again",
    "ablation.fill": "Filled with",
    "ablation.fill_gray": "gray",
    "ablation.fill_blur": "blur",
    "ablation.fill_around": "what is around",
    "ablation.nothing": "Nothing is changed yet: these are the answers to the image as it is.",
    "ablation.said": "{title}: {label} {before} → {after}, logit {logit_before} → {logit_after}",
    "ablation.new_top": "It now answers {label}.",
    "ablation.row": "{before} → {after}",
    "ablation.logit_row": "logit {before} → {after}",
    "ablation.bars": "Answers of {title}: before pale, now full.",
    "ablation.painted": "Painting {share} of its view out changes the logit of {label} by {change}.",
    "ablation.elsewhere": "The same shape moved elsewhere changes it by {mean} (mean of {n} places, {low} to {high}).",
    "ablation.no_room": "The shape is too large to be moved elsewhere for comparison.",
    "ablation.outside": "Nothing of the painted region lies in what {title} sees.",
    "ablation.given": "What {title} was given, {size} pixels",
    "ablation.skipped": "Not changed here: {why}",
    "ablation.every": "All changes, one at a time",
    "ablation.every_hint": "Every question in every block, alone: {seconds} or longer. It is drawn below.",
    "ablation.tens": "tens of seconds",
}
