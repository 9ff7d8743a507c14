"""Tab Tour: the architecture diagram."""

from __future__ import annotations

STRINGS = {
    "architecture.name": "The architecture of {variant}: {blocks} blocks in four stages. Every box is a button.",
    "architecture.caption": (
        "{variant}: {blocks} blocks in four stages, for images of {size} × {size} pixels. Each stage shows the photo "
        "in as many squares as it has positions: what a unit stands for, not what it sees."
    ),
    "architecture.no_transxnet": "What you chose is no TransXNet, so this is {variant}.",
    "architecture.opened": "One block of",
    "architecture.block_name": "A block of stage {stage} of {variant}, opened. Every box is a button.",
    "architecture.block_caption": (
        "All blocks of a stage are alike. ⊕ adds what went round; × is LayerScale, one learned factor and offset for "
        "each channel. Drop path, in training only, is not drawn."
    ),
    "architecture.opens": "{title}. {lines}. Opens {view}.",
    "architecture.opens_stage": "{title}. {lines}. Opens {view} of stage {stage}.",
    "architecture.image": "SourceImage",
    "architecture.image_lines": "{size} × {size} pixels",
    "architecture.stem": "Stem",
    "architecture.stem_lines": ("7 × 7, stride 4\nBatchNorm"),
    "architecture.step": "3 × 3, stride 2",
    "architecture.stage": "Stage {stage}",
    "architecture.stage_lines": ("{grid} × {grid} positions\n{dim} channels"),
    "architecture.blocks": "{depth} blocks",
    "architecture.block": "{depth} block",
    "architecture.heads": "OSRA: {heads} heads, {keys} × {keys} keys",
    "architecture.head_one": "OSRA: one head, {keys} × {keys} keys",
    "architecture.groups": "IDConv: {groups} kernels mixed",
    "architecture.static_groups": "Static convolution, no IDConv",
    "architecture.no_osra": "No OSRA",
    "architecture.head": "Head",
    "architecture.head_lines": ("GroupNorm\naverage\n{classes} classes"),
    "architecture.dpe": "DPE",
    "architecture.dpe_lines": "position, by depthwise 7 × 7",
    "architecture.norm": "GN",
    "architecture.norm_lines": "one mean, one deviation for the whole image",
    "architecture.mixer": "D-Mixer",
    "architecture.mixer_lines": "{local} + {wide} channels",
    "architecture.mixer_local_lines": "all {local} channels",
    "architecture.split": "split",
    "architecture.split_lines": "{local} + {wide} channels",
    "architecture.idconv": "IDConv",
    "architecture.idconv_lines": (
        "{local} channels\n"
        "image pooled to {kernel} × {kernel}\n"
        "softmax gates mix {groups} kernels\n"
        "depthwise {kernel} × {kernel}"
    ),
    "architecture.static": "Static convolution",
    "architecture.static_lines": ("{local} channels\ndepthwise {kernel} × {kernel}, learned"),
    "architecture.osra": "OSRA",
    "architecture.osra_lines": (
        "{wide} channels, {heads_words}\nkeys {sr} times smaller: {keys} × {keys}\nsoftmax(q kᵀ / √{width} + bias) v"
    ),
    "architecture.osra_lines_same": (
        "{wide} channels, {heads_words}\nkeys not reduced: {keys} × {keys}\nsoftmax(q kᵀ / √{width} + bias) v"
    ),
    "architecture.heads_words": "{heads} heads",
    "architecture.head_words": "one head",
    "architecture.concat": "concat",
    "architecture.concat_lines": "{dim} channels",
    "architecture.ste": "STE",
    "architecture.ste_lines": ("depthwise 3 × 3\n1 × 1 to {inner}, back to {dim}\nplus what came in"),
    "architecture.ffn": "MS-FFN",
    "architecture.ffn_lines": ("1 × 1 to {hidden}\ndepthwise 1, 3, 5, 7\n1 × 1 back to {dim}"),
}
