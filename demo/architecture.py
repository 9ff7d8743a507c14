"""The architecture of one variant as boxes with their words and numbers, for js/architecture.js. No gradio here.

Numbers are VariantSpec's; what is inside a block, and in which order, is transxnet/layers.py's. Every box says what it
opens: `go` is what the page does when it is pressed (demo/links.py has its keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transxnet.variants import VariantSpec

from .i18n.tabs import TABS
from .i18n.translate import tr, tr_lines

Json = dict[str, Any]
STAGES = (1, 2, 3, 4)


def architecture(spec: VariantSpec, title: str, stage: int) -> Json:
    """The whole network as a line of boxes, and one block of every stage opened. stage: whose block is shown first."""
    blocks = sum(spec.depths)
    said = {"variant": title, "blocks": blocks, "size": spec.image_size}
    return {
        "name": tr("architecture.name", **said),
        "caption": tr("architecture.caption", **said),
        "flow": [_image(spec), _stem(spec), *(_stage(spec, number) for number in STAGES), _head(spec)],
        "steps": [tr("architecture.step")] * 3,  # between the stages
        "opened": tr("architecture.opened"),
        "stage": stage,
        "blocks": [opened(spec, title, number) for number in STAGES],
        "caption_block": tr("architecture.block_caption"),
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

    def box(kind: str, title: str, lines: Sequence[str], view: str) -> Json:
        return _box(kind, title, lines, n, view, stage)

    norm = box("norm", "architecture.norm", ["architecture.norm_lines"], "erf")
    mixer_lines = ["architecture.mixer_lines" if spec.osra else "architecture.mixer_local_lines"]
    return {
        "name": tr("architecture.block_name", stage=stage, variant=title),
        "button": tr("architecture.stage", stage=stage).lower(),
        "before": box("dpe", "architecture.dpe", ["architecture.dpe_lines"], "erf"),
        "norm": norm,
        "mixer": box("mixer", "architecture.mixer", mixer_lines, "ablation"),
        "split": box("split", "architecture.split", ["architecture.split_lines"], "ablation") if spec.osra else None,
        "local": _local(spec, box),
        "global": _global(n, box) if spec.osra else None,
        "concat": box("concat", "architecture.concat", ["architecture.concat_lines"], "ablation")
        if spec.osra
        else None,
        "join": box("ste", "architecture.ste", ["architecture.ste_lines"], "ablation") if spec.ste else None,
        "after": box("ffn", "architecture.ffn", ["architecture.ffn_lines"], "erf"),
    }


def _local(spec: VariantSpec, box: Any) -> Json:
    if spec.idconv:
        return box("idconv", "architecture.idconv", ["architecture.idconv_lines"], "kernels")
    return box("idconv", "architecture.static", ["architecture.static_lines"], "kernels")


def _global(n: Json, box: Any) -> Json:
    n["heads_words"] = tr("architecture.heads_words" if n["heads"] > 1 else "architecture.head_words", **n)
    return box(
        "osra",
        "architecture.osra",
        ["architecture.osra_lines" if n["sr"] > 1 else "architecture.osra_lines_same"],
        "attention",
    )


def _image(spec: VariantSpec) -> Json:
    return _box("image", "architecture.image", ["architecture.image_lines"], numbers(spec, 1), "overview")


def _stem(spec: VariantSpec) -> Json:
    return _box("stem", "architecture.stem", ["architecture.stem_lines"], numbers(spec, 1), "erf", 1)


def _head(spec: VariantSpec) -> Json:
    box = _box("head", "architecture.head", ["architecture.head_lines"], numbers(spec, 4), "grad_cam")
    return box | {"go": box["go"] | {"cam": 4}}  # the stage that the head reads


def _stage(spec: VariantSpec, stage: int) -> Json:
    n = numbers(spec, stage)
    depth = "architecture.blocks" if n["depth"] > 1 else "architecture.block"
    osra = (
        ("architecture.heads" if n["heads"] > 1 else "architecture.head_one") if spec.osra else "architecture.no_osra"
    )
    lines = (
        "architecture.stage_lines",
        depth,
        "architecture.groups" if spec.idconv else "architecture.static_groups",
        osra,
    )
    box = _box("stage", "architecture.stage", lines, n, "erf", stage)
    return box | {"stage": stage, "grid": n["grid"], "depth": n["depth"], "halves": 1 + spec.osra}


def _box(kind: str, title_key: str, line_keys: Sequence[str], n: Json, view: str, stage: int = 0) -> Json:
    """stage: which one the view is to look from; 0 leaves it."""
    title, lines = tr(title_key, **n), [line for key in line_keys for line in tr_lines(key, **n)]
    opens = "architecture.opens_stage" if stage else "architecture.opens"
    named = tr(opens, title=title, lines=", ".join(lines), view=tr(TABS[view]), stage=stage)
    go = {"view": view} | ({"stage": stage, "block": 0} if stage else {})
    return {"kind": kind, "title": title, "lines": lines, "name": named, "go": go}
