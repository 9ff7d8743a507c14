"""The architecture of one variant as labeled boxes, for js/architecture.js. No gradio here.

Numbers come from VariantSpec; the order of operations in a block is that of transxnet/layers.py. `go` of a box is what
the page does on a click (fields of the view state).
"""

from __future__ import annotations

from typing import Any

from transxnet.variants import VariantSpec

from .i18n.translate import tr, tr_group, tr_lines

Json = dict[str, Any]
STAGES = (1, 2, 3, 4)


def architecture(spec: VariantSpec, title: str, stage: int) -> Json:
    """The network as a row of boxes, and one expanded block of every stage.

    Args:
        spec: Of the variant.
        title: Its name on the page.
        stage: From 1; whose block is shown first.
    """
    totals = {"variant": title, "blocks": sum(spec.depths)}
    stem = stage_numbers(spec, 1)
    head = _box("head", "architecture.head", tr_lines("architecture.head_lines", **stage_numbers(spec, 4)), "grad_cam")
    return {
        "name": tr("architecture.name", **totals),
        "caption": tr("architecture.caption", **totals, size=spec.image_size),
        "flow": [
            _box("image", "architecture.image", tr_lines("architecture.image_lines", **stem), "overview"),
            _box("stem", "architecture.stem", tr_lines("architecture.stem_lines"), "erf", stage=1),
            *(_stage_box(spec, number) for number in STAGES),
            head | {"go": head["go"] | {"cam_layer": 4}},  # the stage whose output the head receives
        ],
        "steps": [tr("architecture.step")] * 3,  # between the stages
        "opened": tr("architecture.opened"),
        "stage": stage,
        "blocks": [expanded_block(spec, title, number) for number in STAGES],
        "caption_block": tr("architecture.block_caption"),
    }


def stage_numbers(spec: VariantSpec, stage: int) -> Json:
    """Numbers of a stage, from 1. Positions and keys are counted along one side of the map."""
    i = stage - 1
    dim, sr = spec.dims[i], spec.sr_ratios[i]
    wide = dim // 2 if spec.osra else 0
    grid = -(-spec.image_size // spec.strides[i])  # odd kernels with half padding: every stride rounds up
    return {
        "stage": stage, "depth": spec.depths[i], "dim": dim, "grid": grid, "keys": -(-grid // sr), "sr": sr,
        "heads": spec.heads[i], "groups": spec.kernel_groups[i], "kernel": spec.kernel_size, "wide": wide,
        "local": dim - wide, "width": wide // spec.heads[i], "inner": max(16, dim // 8),
        "hidden": dim * spec.mlp_ratios[i], "size": spec.image_size, "classes": spec.num_classes,
    }  # fmt: skip


def expanded_block(spec: VariantSpec, title: str, stage: int) -> Json:
    """The boxes of one block: `before` the mixer, inside it, `after` it. A part that the variant lacks is None."""
    numbers = stage_numbers(spec, stage)

    def box(kind: str, name_key: str, lines_key: str, tab: str) -> Json:
        return _box(kind, name_key, tr_lines(lines_key, **numbers), tab, stage=stage)

    def mixer_box(kind: str, name_key: str, lines_key: str, is_present: bool) -> Json | None:
        return box(kind, name_key, lines_key, "ablation") if is_present else None

    if spec.idconv:
        local = box("idconv", "architecture.idconv", "architecture.idconv_lines", "kernels")
    else:
        local = box("idconv", "architecture.static", "architecture.static_lines", "kernels")
    numbers["heads_text"] = tr("architecture.heads", count=numbers["heads"])
    osra_lines = "architecture.osra_lines" if numbers["sr"] > 1 else "architecture.osra_lines_same"
    mixer_lines = "architecture.mixer_lines" if spec.osra else "architecture.mixer_local_lines"
    return {
        "name": tr("architecture.block_name", stage=stage, variant=title),
        "button": tr("architecture.stage", stage=stage).lower(),
        "before": box("dpe", "architecture.dpe", "architecture.dpe_lines", "erf"),
        "norm": box("norm", "architecture.norm", "architecture.norm_lines", "erf"),
        "mixer": box("mixer", "architecture.mixer", mixer_lines, "ablation"),
        "split": mixer_box("split", "architecture.split", "architecture.split_lines", spec.osra),
        "local": local,
        "global": box("osra", "architecture.osra", osra_lines, "attention") if spec.osra else None,
        "concat": mixer_box("concat", "architecture.concat", "architecture.concat_lines", spec.osra),
        "join": mixer_box("ste", "architecture.ste", "architecture.ste_lines", spec.ste),
        "after": box("ffn", "architecture.ffn", "architecture.ffn_lines", "erf"),
    }


def _stage_box(spec: VariantSpec, stage: int) -> Json:
    numbers = stage_numbers(spec, stage)
    local_key = "architecture.groups" if spec.idconv else "architecture.static_groups"
    attention_key = "architecture.stage_osra" if spec.osra else "architecture.no_osra"
    lines = [
        *tr_lines("architecture.stage_lines", **numbers),
        tr("architecture.blocks", count=numbers["depth"]),
        tr(local_key, **numbers),
        tr(attention_key, **numbers, count=numbers["heads"]),
    ]
    box = _box("stage", "architecture.stage", lines, "erf", stage=stage)
    return box | {"stage": stage, "grid": numbers["grid"], "depth": numbers["depth"], "halves": 1 + spec.osra}


def _box(kind: str, name_key: str, lines: list[str], tab: str, stage: int = 0) -> Json:
    """One box. tab: what a click opens. stage: where it opens, from 1; 0 leaves the stage as it is."""
    title = tr(name_key, stage=stage)
    opens = {"title": title, "lines": ", ".join(lines), "tab": tr_group("tabs.")[tab]}
    if stage:
        name, go = tr("architecture.opens_stage", **opens, stage=stage), {"tab": tab, "stage": stage, "block": 0}
    else:
        name, go = tr("architecture.opens", **opens), {"tab": tab}
    return {"kind": kind, "title": title, "lines": lines, "name": name, "go": go}
