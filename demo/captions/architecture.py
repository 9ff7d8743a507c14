"""Words of the figure of the architecture: what its boxes are called, the numbers in them, and what each opens."""

from __future__ import annotations

NAME = "The architecture of {variant}: {blocks} blocks in four stages. Every box is a button."
CAPTION = (
    "{variant}: {blocks} blocks in four stages, for images of {size} × {size} pixels. Each stage shows the "
    "photo in as many squares as it has positions: what a unit stands for, not what it sees."
)
NO_TRANSXNET = "What you chose is no TransXNet, so this is {variant}."
OPENED = "One block of"  # the buttons that choose a stage follow
BLOCK_NAME = "A block of stage {stage} of {variant}, opened. Every box is a button."
BLOCK_CAPTION = (
    "All blocks of a stage are alike. ⊕ adds what went round; × is LayerScale, one learned factor and offset for each "
    "channel. Drop path, in training only, is not drawn."
)
OPENS = "{title}. {lines}. Opens {view}."
OPENS_STAGE = "{title}. {lines}. Opens {view} of stage {stage}."

IMAGE, IMAGE_LINES = "SourceImage", ("{size} × {size} pixels",)
STEM, STEM_LINES = "Stem", ("7 × 7, stride 4", "BatchNorm")
STEP = "3 × 3, stride 2"  # between two stages
STAGE = "Stage {stage}"
STAGE_LINES = ("{grid} × {grid} positions", "{dim} channels")
BLOCKS, BLOCK = "{depth} blocks", "{depth} block"
HEADS, HEAD_ONE = "OSRA: {heads} heads, {keys} × {keys} keys", "OSRA: one head, {keys} × {keys} keys"
GROUPS = "IDConv: {groups} kernels mixed"
STATIC_GROUPS = "Static convolution, no IDConv"
NO_OSRA = "No OSRA"
HEAD, HEAD_LINES = "Head", ("GroupNorm", "average", "{classes} classes")

DPE, DPE_LINES = "DPE", ("position, by depthwise 7 × 7",)
NORM, NORM_LINES = "GN", ("one mean, one deviation for the whole image",)
MIXER, MIXER_LINES = "D-Mixer", ("{local} + {wide} channels",)
MIXER_LOCAL_LINES = ("all {local} channels",)
SPLIT, SPLIT_LINES = "split", ("{local} + {wide} channels",)
IDCONV = "IDConv"
IDCONV_LINES = (
    "{local} channels", "image pooled to {kernel} × {kernel}", "softmax gates mix {groups} kernels",
    "depthwise {kernel} × {kernel}",
)  # fmt: skip
STATIC, STATIC_LINES = "Static convolution", ("{local} channels", "depthwise {kernel} × {kernel}, learned")
OSRA = "OSRA"
OSRA_LINES = (
    "{wide} channels, {heads_words}", "keys {sr} times smaller: {keys} × {keys}", "softmax(q kᵀ / √{width} + bias) v"
)  # fmt: skip
OSRA_LINES_SAME = ("{wide} channels, {heads_words}", "keys not reduced: {keys} × {keys}", OSRA_LINES[2])
HEADS_WORDS, HEAD_WORDS = "{heads} heads", "one head"
CONCAT, CONCAT_LINES = "concat", ("{dim} channels",)
STE, STE_LINES = "STE", ("depthwise 3 × 3", "1 × 1 to {inner}, back to {dim}", "plus what came in")
FFN, FFN_LINES = "MS-FFN", ("1 × 1 to {hidden}", "depthwise 1, 3, 5, 7", "1 × 1 back to {dim}")
