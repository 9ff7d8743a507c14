"""The architecture of one variant as boxes with their words and numbers, for js/architecture.js. No gradio here.

Numbers are VariantSpec's; what is inside a block, and in which order, is transxnet/layers.py's. Every box says what it
opens: `go` is what the page does when it is pressed (demo/links.py has its keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transxnet.variants import VariantSpec

from .captions import VIEWS
from .captions import architecture as words
from .languages import say

Json = dict[str, Any]
STAGES = (1, 2, 3, 4)


def architecture(spec: VariantSpec, title: str, stage: int) -> Json:
    """The whole network as a line of boxes, and one block of every stage opened. stage: whose block is shown first."""
    blocks = sum(spec.depths)
    said = {"variant": title, "blocks": blocks, "size": spec.image_size}
    return {
        "name": say(words.NAME).format(**said),
        "caption": say(words.CAPTION).format(**said),
        "flow": [_image(spec), _stem(spec), *(_stage(spec, number) for number in STAGES), _head(spec)],
        "steps": [say(words.STEP)] * 3,  # between the stages
        "opened": say(words.OPENED),
        "stage": stage,
        "blocks": [opened(spec, title, number) for number in STAGES],
        "caption_block": say(words.BLOCK_CAPTION),
    }


def numbers(spec: VariantSpec, stage: int) -> Json:
    """What the figure says of a stage; stage from 1. Positions, keys and channels are counts, keys along one side."""
    i = stage - 1
    dim, sr = spec.dims[i], spec.sr_ratios[i]
    wide = dim // 2 if spec.osra else 0
    grid = -(-spec.image_size // spec.strides[i])  # odd kernels padded by half: every step rounds up
    return {
        "stage": stage, "depth": spec.depths[i], "dim": dim, "grid": grid, "keys": -(-grid // sr), "sr": sr,
        "heads": spec.heads[i], "groups": spec.kernel_groups[i], "kernel": spec.kernel_size, "wide": wide,
        "local": dim - wide, "width": wide // spec.heads[i], "inner": max(16, dim // 8),
        "hidden": dim * spec.mlp_ratios[i], "size": spec.image_size, "classes": spec.num_classes,
    }  # fmt: skip


def opened(spec: VariantSpec, title: str, stage: int) -> Json:
    """One block: `before` the mixer, the mixer's own boxes, `after` it. A part that the variant lacks is None."""
    n = numbers(spec, stage)

    def box(kind: str, head: str, lines: Sequence[str], view: str) -> Json:
        return _box(kind, head, lines, n, view, stage)

    norm = box("norm", words.NORM, words.NORM_LINES, "erf")
    mixer_lines = words.MIXER_LINES if spec.osra else words.MIXER_LOCAL_LINES
    return {
        "name": say(words.BLOCK_NAME).format(stage=stage, variant=title),
        "button": say(words.STAGE).format(stage=stage).lower(),
        "before": box("dpe", words.DPE, words.DPE_LINES, "erf"),
        "norm": norm,
        "mixer": box("mixer", words.MIXER, mixer_lines, "ablation"),
        "split": box("split", words.SPLIT, words.SPLIT_LINES, "ablation") if spec.osra else None,
        "local": _local(spec, box),
        "global": _global(n, box) if spec.osra else None,
        "concat": box("concat", words.CONCAT, words.CONCAT_LINES, "ablation") if spec.osra else None,
        "join": box("ste", words.STE, words.STE_LINES, "ablation") if spec.ste else None,
        "after": box("ffn", words.FFN, words.FFN_LINES, "erf"),
    }


def _local(spec: VariantSpec, box: Any) -> Json:
    if spec.idconv:
        return box("idconv", words.IDCONV, words.IDCONV_LINES, "kernels")
    return box("idconv", words.STATIC, words.STATIC_LINES, "kernels")


def _global(n: Json, box: Any) -> Json:
    n["heads_words"] = say(words.HEADS_WORDS if n["heads"] > 1 else words.HEAD_WORDS).format(**n)
    return box("osra", words.OSRA, words.OSRA_LINES if n["sr"] > 1 else words.OSRA_LINES_SAME, "attention")


def _image(spec: VariantSpec) -> Json:
    return _box("image", words.IMAGE, words.IMAGE_LINES, numbers(spec, 1), "overview")


def _stem(spec: VariantSpec) -> Json:
    return _box("stem", words.STEM, words.STEM_LINES, numbers(spec, 1), "erf", 1)


def _head(spec: VariantSpec) -> Json:
    box = _box("head", words.HEAD, words.HEAD_LINES, numbers(spec, 4), "grad_cam")
    return box | {"go": box["go"] | {"cam": 4}}  # the stage that the head reads


def _stage(spec: VariantSpec, stage: int) -> Json:
    n = numbers(spec, stage)
    depth = words.BLOCKS if n["depth"] > 1 else words.BLOCK
    osra = (words.HEADS if n["heads"] > 1 else words.HEAD_ONE) if spec.osra else words.NO_OSRA
    lines = (*words.STAGE_LINES, depth, words.GROUPS if spec.idconv else words.STATIC_GROUPS, osra)
    box = _box("stage", words.STAGE, lines, n, "erf", stage)
    return box | {"stage": stage, "grid": n["grid"], "depth": n["depth"], "halves": 1 + spec.osra}


def _box(kind: str, head: str, lines: Sequence[str], n: Json, view: str, stage: int = 0) -> Json:
    """stage: which one the view is to look from; 0 leaves it."""
    title, said = say(head).format(**n), [say(line).format(**n) for line in lines]
    name = say(words.OPENS_STAGE if stage else words.OPENS)
    named = name.format(title=title, lines=", ".join(said), view=say(VIEWS[view]), stage=stage)
    go = {"view": view} | ({"stage": stage, "block": 0} if stage else {})
    return {"kind": kind, "title": title, "lines": said, "name": named, "go": go}
