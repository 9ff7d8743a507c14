"""Tab Ablation."""

from __future__ import annotations

STRINGS = {
    "ablation.switch_title": "Switch parts off",
    "ablation.switch_hint": "Combine several; choose where each applies.",
    "ablation.switch_uniform_gates": "Generated kernels",
    "ablation.switch_uniform_gates_hint": "off: uniform mixing, one static kernel for every image",
    "ablation.switch_other_kernels": "Kernels of this image",
    "ablation.switch_other_kernels_hint": "off: kernels borrowed from another image (Reference image)",
    "ablation.switch_uniform_attention": "Attention weights",
    "ablation.switch_uniform_attention_hint": "off: replaced by uniform weights, every position receives the mean",
    "ablation.switch_no_idconv": "IDConv half",
    "ablation.switch_no_idconv_hint": "off: replaced by zeros",
    "ablation.switch_no_osra": "OSRA half",
    "ablation.switch_no_osra_hint": "off: replaced by zeros",
    "ablation.switch_no_ste": "STE, which mixes the two halves",
    "ablation.switch_no_ste_hint": "off: the halves are only concatenated",
    "ablation.switch_head_off": "OSRA heads",
    "ablation.switch_head_off_hint": "click to mute",
    "ablation.off": "off",
    "ablation.on": "on",
    "ablation.head": "Head {head}",
    "ablation.scope": "Where: {label}",
    "ablation.everywhere": "everywhere",
    "ablation.stage": "stage {stage}",
    "ablation.block": "stage {stage}, block {block}",
    "ablation.occlude": "Occlude a region",
    "ablation.occlude_hint": (
        "Draw with mouse or finger. Keyboard: arrow keys move the cursor, Space paints, Z undoes the last stroke."
    ),
    "ablation.occlude_alt": "Input crop of {title}, to paint on. {share} is occluded.",
    "ablation.pixels": "Replaced in the model input: {sizes}.",
    "ablation.pixels_of": "{size} for {title}",
    "ablation.brush": "Brush",
    "ablation.brushes": ("small\nmedium\nlarge"),
    "ablation.undo": "Undo",
    "ablation.clear": "Clear",
    "ablation.restore": "Reset all",
    "ablation.fill": "Fill",
    "ablation.fill_gray": "gray",
    "ablation.fill_blur": "blur",
    "ablation.fill_inpaint": "inpaint from surroundings",
    "ablation.nothing": "No changes: predictions for the unmodified image.",
    "ablation.summary": "{title}: {label} {before} → {after}, logit {logit_before} → {logit_after}.",
    "ablation.new_top": "The top prediction is now {label}.",
    "ablation.row": "{before} → {after}",
    "ablation.logit_row": "logit {before} → {after}",
    "ablation.bars": "Predictions of {title}: before in pale, after in full color.",
    "ablation.occluded": "Occluding {share} of the model input changes the logit of {label} by {change}.",
    "ablation.elsewhere": (
        "Moving the same shape elsewhere changes it by {mean} on average ({n} positions, {low} to {high})."
    ),
    "ablation.no_room": "The shape is too large to be moved elsewhere for comparison.",
    "ablation.outside": "The occluded region lies outside the input crop of {title}.",
    "ablation.given": "Model input of {title}, {size} pixels",
    "ablation.skipped": "Not applied: {why}",
    "ablation.every": "Run full ablation",
    "ablation.every_hint": (
        "Every ablation in every block, one at a time: {seconds} or longer. The result appears below."
    ),
    "ablation.table_seconds": "tens of seconds",
}
