"""Tab Tour: the architecture diagram."""

from __future__ import annotations

STRINGS = {
    "architecture.name": "Architecture of {variant}: {blocks} blocks in four stages. Every box is a button.",
    "architecture.caption": (
        "{variant}: {blocks} blocks in four stages, for {size} × {size} input. Each stage divides the image into as "
        "many cells as it has spatial positions: what a unit represents, not its receptive field."
    ),
    "architecture.not_transxnet": "The selected model is not a TransXNet; showing {variant}.",
    "architecture.opened": "Block of",
    "architecture.block_name": "A block of stage {stage} of {variant}. Every box is a button.",
    "architecture.block_caption": (
        "All blocks of a stage have the same structure. ⊕: residual addition; ×: LayerScale, a learned factor and "
        "offset per channel. Drop path (training only) is not shown."
    ),
    "architecture.opens": "{title}. {lines}. Opens {tab}.",
    "architecture.opens_stage": "{title}. {lines}. Opens {tab} at stage {stage}.",
    "architecture.image": "Image",
    "architecture.image_lines": "{size} × {size} pixels",
    "architecture.stem": "Stem",
    "architecture.stem_lines": ("7 × 7, stride 4\nBatchNorm"),
    "architecture.step": "3 × 3, stride 2",
    "architecture.stage": "Stage {stage}",
    "architecture.stage_lines": ("{grid} × {grid} positions\n{dim} channels"),
    "architecture.blocks": {"one": "{count} block", "other": "{count} blocks"},
    "architecture.stage_osra": {
        "one": "OSRA: {count} head, {keys} × {keys} keys",
        "other": "OSRA: {count} heads, {keys} × {keys} keys",
    },
    "architecture.groups": "IDConv: mixes {groups} kernels",
    "architecture.static_groups": "Static convolution, no IDConv",
    "architecture.no_osra": "No OSRA",
    "architecture.head": "Head",
    "architecture.head_lines": ("GroupNorm\nmean over positions\n{classes} classes"),
    "architecture.dpe": "DPE",
    "architecture.dpe_lines": "positional encoding, depthwise 7 × 7",
    "architecture.norm": "GN",
    "architecture.norm_lines": "one mean and one variance per image",
    "architecture.mixer": "D-Mixer",
    "architecture.mixer_lines": "{local} + {wide} channels",
    "architecture.mixer_local_lines": "all {local} channels",
    "architecture.split": "split",
    "architecture.split_lines": "{local} + {wide} channels",
    "architecture.idconv": "IDConv",
    "architecture.idconv_lines": (
        "{local} channels\n"
        "image pooled to {kernel} × {kernel}\n"
        "softmax mixes {groups} kernels\n"
        "depthwise {kernel} × {kernel}"
    ),
    "architecture.static": "Static convolution",
    "architecture.static_lines": ("{local} channels\ndepthwise {kernel} × {kernel}, learned"),
    "architecture.osra": "OSRA",
    "architecture.osra_lines": (
        "{wide} channels, {heads_text}\nkeys {sr} times smaller: {keys} × {keys}\nsoftmax(q kᵀ / √{width} + bias) v"
    ),
    "architecture.osra_lines_same": (
        "{wide} channels, {heads_text}\nkeys not reduced: {keys} × {keys}\nsoftmax(q kᵀ / √{width} + bias) v"
    ),
    "architecture.heads": {"one": "{count} head", "other": "{count} heads"},
    "architecture.concat": "concat",
    "architecture.concat_lines": "{dim} channels",
    "architecture.ste": "STE",
    "architecture.ste_lines": ("depthwise 3 × 3\n1 × 1 to {inner}, back to {dim}\nresidual addition"),
    "architecture.ffn": "MS-FFN",
    "architecture.ffn_lines": ("1 × 1 to {hidden}\ndepthwise 1, 3, 5, 7\n1 × 1 back to {dim}"),
}
